// pages.mjs: the blocks of doc/admin/, as the tests use them: as they stand
// there, with the tests' names for hosts
//
// A block has a name in its first line: "# NAME", or "-- NAME" in Lua.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BIN } from './ejabberd.mjs';
import { PROSODY, privateLines } from './prosody.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

// Without the indent of the list that it is in.
export function block(page, name) {
	const text = readFileSync(join(TOP, 'doc/admin', `${page}.md`), 'utf8');
	const found = text.match(new RegExp('^( *)```\\w*\\n *(?:#|--) ' + name +
		'\\n([^]*?)^ *```', 'm'));
	if (!found)
		throw new Error(`no block ${name} in ${page}.md`);
	return found[2].replaceAll(new RegExp(`^${found[1]}`, 'gm'), '')
		.replaceAll('example.org', 'localhost');
}

// The file of Debian's Prosody, with `blocks` behind it; null: this Prosody is
// one of the machine's, whose file may be anything.
export function debianProsody(o, folder, ...blocks) {
	const file = resolve(dirname(PROSODY), '../root/etc/prosody',
		'prosody.cfg.lua');
	if (!existsSync(file))
		return null;
	return [readFileSync(file, 'utf8')
		.replace('/usr/local/lib/prosody/modules', folder)
		.replace('--"websocket"', '"websocket"')
		.replace(/^(VirtualHost|Include) .*$/gm, ''),
	privateLines(o), ...blocks].join('\n');
}

// A block of ejabberd.yml: what stands below each of its keys.
function sections(text) {
	return [...text.matchAll(/^(\w+):\n((?:[ ].*\n)+)/gm)]
		.map(([, key, lines]) => [key, lines]);
}

// The file of Debian's ejabberd, with the component's listener and `blocks` of
// ejabberd.md below its own keys. What needs certificates or a port of its own
// is left out.
export function debianConfig({ ports, components }, ...blocks) {
	const [{ secret }] = components;
	const listen = block('ejabberd', 'listen')
		.replace('5347', ports.component).replace('the secret', secret);
	let text = readFileSync(join(resolve(BIN, '../root'),
		'usr/share/ejabberd/ejabberd.yml.example'), 'utf8')
		.replace(/^certfiles:\n.*\n/m, '')
		.replace(/^ {2}-\n {4}port: (?!5222|5443)\d+\n(?: {4}.*\n)+/gm, '')
		.replace(/^ *(starttls_required|tls|protocol_options): .*\n/gm, '')
		.replace('port: 5222', `port: ${ports.c2s}`)
		.replace('port: 5443', `port: ${ports.http}`)
		.replaceAll('ip: "::"', 'ip: "127.0.0.1"')
		.replace(/^ {2}mod_(mqtt|pres_counter|stun_disco):.*\n(?: {4}.*\n)*/gm,
			'')
		.replace(/^api_permissions:\n/m, 'api_permissions:\n  of the tests:' +
			'\n    who:\n      ip: 127.0.0.1/8\n    what: "*"\n')
		.replace(/^listen:\n/m, `listen:\n${listen}`);
	for (const [key, lines] of blocks.flatMap(sections)) {
		const [name] = lines.match(/^ {2}\S+:/) ?? ['no such line'];
		if (!text.includes(`\n${key}:\n`))
			text += `${key}:\n`;
		text = text.replace(new RegExp(`^${key}:\n((?: {2}.*\n| *\n)*)`, 'm'),
			(all, old) => `${key}:\n${lines}` + old.replace(new RegExp(
				`^${name}.*\n(?: {4}.*\n)*`, 'm'), ''));
	}
	return text;
}
