// browser.mjs: the page of web/ in a Chromium without a window
//
// The page is built into the run's folder and served on loopback; each phone
// is one user in a page of his own, with made-up camera and microphone.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { PATIENCE } from './children.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const VITE = join(TOP, 'web/node_modules/vite/bin/vite.js');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const LAUNCH_MS = 60000;
const WAIT_MS = 20000;

// The first two are pages of Chromium's own for what is typed into its address
// field, which nobody does here: a process for each window that computes for
// two seconds. The others are what Playwright turns off, which this replaces.
const FEATURES_OFF = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup',
	'AutoDeElevate', 'AvoidUnnecessaryBeforeUnloadCheckSync',
	'BoundaryEventDispatchTracksNodeRemoval',
	'DestroyProfileOnBrowserClose', 'DialMediaRouteProvider',
	'GlobalMediaControls', 'HttpsUpgrades', 'LensOverlay', 'MediaRouter',
	'OptimizationHints', 'PaintHolding', 'RenderDocument',
	'ThirdPartyStoragePartitioning', 'Translate'];

const FLAGS = [
	'--headless=new',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--disable-dev-shm-usage',
	'--autoplay-policy=no-user-gesture-required',
	'--use-fake-device-for-media-stream=fps=8',
	'--use-fake-ui-for-media-stream',
	'--allow-loopback-in-peer-connection',
	`--disable-features=${FEATURES_OFF}`,
];

const TYPES = { '.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript', '.css': 'text/css' };

async function buildPage(outDir) {
	try {
		await promisify(execFile)(process.execPath, [VITE, 'build',
			'--logLevel', 'warn', '--emptyOutDir',
			'--outDir', outDir], { cwd: join(TOP, 'web') });
	} catch (error) {
		throw new Error('the page cannot be built (npm ci in web/?): ' +
			(error.stderr || error.message));
	}
}

// The page, built and served: { port, close() }, for more than one browser.
export async function servePage(dir) {
	const folder = join(resolve(dir), 'page');
	await buildPage(folder);
	const server = await serveFolder(folder);
	return { port: server.address().port, close() {
		server.closeAllConnections?.();
		server.close();
	} };
}

// Chromium as a program that runs on a host of net.mjs.
function chromiumOn(host, folder) {
	if (!host)
		return CHROMIUM;
	const program = join(folder, 'chromium');
	writeFileSync(program, '#!/bin/sh\n' +
		`exec ${host.enter.join(' ')} '${CHROMIUM}' "$@"\n`,
	{ mode: 0o700 });
	return program;
}

function flags(host) {
	return [...FLAGS, ...process.getuid() === 0 ? ['--no-sandbox'] : [],
		// No name but this machine's own is ever looked up. Nothing
		// leads out of a host, and rules would hide TURN servers there.
		...host ? [] : ['--host-resolver-rules=MAP * ~NOTFOUND, ' +
			'EXCLUDE localhost, EXCLUDE 127.0.0.1']];
}

function serveFolder(folder) {
	const server = createServer(async (request, response) => {
		const { pathname } = new URL(request.url, 'http://localhost');
		const file = resolve(join(folder,
			pathname === '/' ? 'index.html' : pathname));
		try {
			if (!file.startsWith(folder + sep))
				throw new Error('outside');
			const body = await readFile(file);
			response.writeHead(200, { 'content-type':
				TYPES[extname(file)] ?? 'text/plain' });
			response.end(body);
		} catch {
			response.writeHead(404);
			response.end();
		}
	});
	return new Promise((done, reject) => {
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => done(server));
	});
}

// Runs in the page: its offers are of these video codecs, the first first, and
// each number is another's. Chromium by itself has always the same numbers.
function offerOtherwise(videoCodecs) {
	const { jingle } = globalThis.phone.client;
	const make = jingle.createPeerConnection;
	const { codecs } = RTCRtpReceiver.getCapabilities('video');
	const chosen = [...videoCodecs, 'rtx'].flatMap((name) => codecs.filter(
		({ mimeType }) => mimeType === `video/${name}`));
	const renumber = (sdp) => {
		const all = [...sdp.matchAll(/^a=rtpmap:(\d+)/gm)]
			.map(([, n]) => n).filter((n) => n > 34);
		const other = (n) => (all.includes(n)
			? all[(all.indexOf(n) + 1) % all.length] : n);
		return sdp.replace(/^m=.*/gm, (line) => line.replace(/\d+/g, other))
			.replace(/(?<=^a=(rtpmap|fmtp|rtcp-fb):)\d+/gm, other)
			.replace(/(?<=\bapt=)\d+/g, other)
			.replace(/(?<=^a=fmtp:\d+ )\d+\/\d+$/gm,
				(red) => red.replace(/\d+/g, other));
	};
	jingle.createPeerConnection = (...args) => {
		const pc = make(...args);
		const createOffer = pc.createOffer.bind(pc);
		pc.createOffer = async (options) => {
			for (const t of pc.getTransceivers())
				if (t.receiver.track.kind === 'video')
					t.setCodecPreferences(chosen);
			const { type, sdp } = await createOffer(options);
			return { type, sdp: renumber(sdp) };
		};
		return pc;
	};
}

// Runs in the page: ICE anew, by whichever side, as libwebrtc's clients do it:
// new credentials, which the other answers by his. stanza does so as the
// initiator; as the responder it would take the answer for a new offer.
async function restartIce(sid) {
	const { session } = globalThis.phone.calls.get(sid);
	const { pc } = session;
	const take = session.onTransportInfo;
	const answered = async (changes, done) => {
		const { usernameFragment, password } =
			changes.contents[0].transport;
		if (password) {
			session.onTransportInfo = take;
			await pc.setRemoteDescription({ type: 'answer',
				sdp: pc.currentRemoteDescription.sdp
					.replace(/a=ice-ufrag:.*/g,
						`a=ice-ufrag:${usernameFragment}`)
					.replace(/a=ice-pwd:.*/g,
						`a=ice-pwd:${password}`)
					.replace(/a=setup:.*/g, 'a=setup:passive') });
		}
		return take.call(session, changes, done);
	};
	const restart = async () => {
		session.onTransportInfo = answered;
		const offer = await pc.createOffer({ iceRestart: true });
		const said = (name) =>
			offer.sdp.match(`a=${name}:(.*)`)[1].trim();
		session.send('transport-info', { contents: [{
			creator: 'initiator', name: said('mid'), transport: {
				transportType: session.transportType,
				usernameFragment: said('ice-ufrag'),
				password: said('ice-pwd') } }] });
		await pc.setLocalDescription(offer);
	};
	const stable = new Promise((resolve, reject) => {
		setTimeout(reject, 60000, new Error('ICE anew: no answer'));
		pc.addEventListener('signalingstatechange', () =>
			pc.signalingState === 'stable' && resolve());
	});
	await (session.isInitiator ? session.restartIce() : restart());
	await stable;
}

// When the page has decoded more pictures of a call than so many.
async function pictureAt([sid, frames]) {
	const { phone } = globalThis;
	const decoded = async () => phone.calls.get(sid).session?.pc &&
		(await phone.stats(sid)).video.in?.framesDecoded;
	while (!(await decoded() > frames))
		await new Promise((done) => setTimeout(done, 10));
	return Date.now();
}

// Calls go to the page's own Phone (web/src/phone.js); what fails there fails
// here, with the user's name.
function remotePhone(page, name) {
	const ask = async (method, ...args) => {
		try {
			return await page.evaluate(([m, a]) =>
				globalThis.phone[m](...a), [method, args]);
		} catch (error) {
			const [line] = String(error.message)
				.replace(/^page\.evaluate: (Error: )?/, '')
				.split('\n');
			throw new Error(`${name}, ${method}: ${line}`);
		}
	};
	const phone = {
		name, page,
		log: () => page.evaluate(() => globalThis.phone.log),
		jid: () => page.evaluate(() => globalThis.phone.client.jid),
		restartIce: (sid) => page.evaluate(restartIce, sid),
		pictureAt: (sid, frames = 0) => page.evaluate(pictureAt,
			[sid, frames]),
		offersOtherwise: (...codecs) => page.evaluate(offerOtherwise,
			codecs),
	};
	for (const method of ['call', 'cancel', 'answer', 'decline', 'hangup',
		'stats', 'addContact', 'features', 'logout'])
		phone[method] = (...args) => ask(method, ...args);
	phone.wait = (what, match = {}, { from } = {}) => ask('wait', what, match,
		{ from, timeout: WAIT_MS * PATIENCE });
	return phone;
}

// Starts Chromium. The result: openPhone({ name, jid, password, websocket }),
// which logs in; stop(). See Phone for what a phone can do, plus log() and
// page. `console`: everything the pages wrote there. Options:
//   dir        private folder
//   page       of servePage(); its own by default
//   host       of net.mjs, on which it runs
//   more       flags of Chromium
export async function startBrowser({ dir, page: shared, host, more = [] }) {
	const folder = resolve(dir);
	const tmp = join(folder, 'tmp');
	mkdirSync(tmp, { recursive: true });
	const served = shared ?? await servePage(folder);
	const url = `http://localhost:${served.port}/`;
	const console_ = [];
	const browser = await chromium.launch({
		executablePath: chromiumOn(host, folder),
		args: [...flags(host), ...more],
		ignoreDefaultArgs: ['--mute-audio'],
		env: { ...process.env, TMPDIR: tmp },
		timeout: LAUNCH_MS,
		handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
	});

	return {
		version: browser.version(),
		console: console_,
		async openPhone({ name, ...options }) {
			const context = await browser.newContext();
			const page = await context.newPage();
			page.on('console', (m) => console_.push(
				`${name}: ${m.type()}: ${m.text()}`));
			page.on('pageerror', (e) => console_.push(
				`${name}: ${e.stack ?? e}`));
			await page.goto(url);
			await page.evaluate((o) => globalThis.openPhone(o),
				options);
			return { ...remotePhone(page, name),
				console: () => console_.filter((line) =>
					line.startsWith(`${name}: `)),
				// As a tab that is killed: nothing is said.
				kill: () => context.close() };
		},
		async stop() {
			await browser.close();
			if (!shared)
				served.close();
		},
	};
}
