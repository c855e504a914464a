// vite.config.js: builds the page for any folder it is served from
import { defineConfig } from 'vite';

export default defineConfig({
	base: './',
	define: { global: 'globalThis' },
	test: { include: ['test/**/*.test.js'] },
});
