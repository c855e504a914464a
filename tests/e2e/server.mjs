// server.mjs: the server that the stories run on, whichever it is
//
// Options beside those of startProsody() and startEjabberd(), of which dir,
// users, component, tls, c2sPort, logLevel, module and push (which ejabberd has
// anyway) may be given here:
//   components  [{ domain, secret }], more of them
//   hosts       more virtual hosts
//   unlimited   names of users whose traffic has no limit

import { startEjabberd } from './ejabberd.mjs';
import { startProsody } from './prosody.mjs';

function prosodyComponents(components) {
	return components.map(({ domain, secret }) =>
		`Component "${domain}"\n\tcomponent_secret = "${secret}"\n` +
		'\tcomponent_conflict_resolve = "kick_old"\n').join('\n');
}

// A stanza may be above what the component takes. Prosody counts what is pushed
// after it too.
const STANZA_SIZE = 2048 * 1024;

function prosodyUnlimited(names, hosts) {
	if (!names.length)
		return '';
	const jids = hosts.flatMap((host) =>
		names.map((name) => `"${name}@${host}"`));
	return `unlimited_jids = { ${jids.join(', ')} }
c2s_stanza_size_limit = ${STANZA_SIZE}
`;
}

const starters = {
	prosody: ({ components = [], hosts = [], unlimited = [],
		globalConfig = '', componentConfig = '', ...rest }) =>
		startProsody({ ...rest,
			globalConfig: globalConfig + prosodyUnlimited(unlimited,
				['localhost', ...Object.keys(rest.module?.hosts ?? {})]),
			componentConfig: componentConfig +
				prosodyComponents(components),
			hostConfig: (rest.hostConfig ?? '') + hosts.map((host) =>
				`\n\nVirtualHost "${host}"\n`).join('') }),
	ejabberd: ({ unlimited = [], ...rest }) => startEjabberd({ ...rest,
		stanzaSize: unlimited.length ? STANZA_SIZE : undefined,
		unlimited: new RegExp(`^(${unlimited.join('|')})$`) }),
};

export const servers = Object.keys(starters);

export function startServer(name, options) {
	if (!starters[name])
		throw new Error(`no server ${name}: ${servers}`);
	return starters[name](options);
}
