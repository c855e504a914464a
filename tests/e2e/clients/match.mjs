// match.mjs: what a stanza looks like, as labelled predicates
//
// A matcher is a function of an element with a `label` that a failure prints.
// Wanted values are strings (equal), regular expressions or functions.

import { NS } from './ns.mjs';

export const bare = (jid) => String(jid ?? '').split('/')[0];
export const local = (jid) => bare(jid).split('@')[0];

export function matcher(label, test) {
	return Object.assign((el) => Boolean(test(el)), { label });
}

export function fits(value, want) {
	if (want === undefined)
		return true;
	if (want === null)
		return value === undefined || value === null;
	if (want instanceof RegExp)
		return want.test(String(value ?? ''));
	if (typeof want === 'function')
		return want(value);
	return value === want;
}

function words(wants) {
	return Object.entries(wants)
		.filter(([, want]) => want !== undefined)
		.map(([name, want]) => ` ${name}=${want}`).join('');
}

// <message/> without carbons' wrapping; body may be a pattern.
export function message({ from, to, type, id, body } = {}) {
	return matcher(`message${words({ from, to, type, id, body })}`, (el) =>
		el.name === 'message' && fits(el.attrs.from, from) &&
		fits(el.attrs.to, to) && fits(el.attrs.id, id) &&
		fits(el.attrs.type ?? 'normal', type) &&
		fits(el.getChildText('body') ?? undefined, body));
}

export function presence({ from, type = null, show } = {}) {
	return matcher(`presence${words({ from, type, show })}`, (el) =>
		el.name === 'presence' && fits(el.attrs.from, from) &&
		fits(el.attrs.type, type) &&
		fits(el.getChildText('show') ?? undefined, show));
}

// The JMI child of a message, whatever its name.
export function jmiOf(el) {
	if (el?.name !== 'message')
		return undefined;
	return el.children.find((c) => c.name && c.getNS() === NS.jmi);
}

// A message that a carbon holds, and which kind of carbon: {el, kind}.
export function carbonOf(el) {
	for (const kind of ['received', 'sent']) {
		const inner = el.getChild(kind, NS.carbons)
			?.getChild('forwarded', NS.forward)?.getChild('message');
		if (inner)
			return { el: inner, kind };
	}
	return undefined;
}

export function reasonOf(el) {
	const reason = el?.getChild('reason', NS.jingle) ??
		el?.getChild('reason');
	const name = reason?.children.find((c) => c.name && c.name !== 'text')
		?.name;
	return { name, text: reason?.getChildText('text') ?? undefined };
}

// A JMI message: jmi('reject', { from, id, reason, text }).
export function jmi(name, { from, to, id, reason, text } = {}) {
	return matcher(`JMI ${name}${words({ from, to, id, reason, text })}`,
		(el) => {
			const child = jmiOf(el);
			if (!child || !fits(child.name, name) ||
			    el.attrs.type === 'error')
				return false;
			const why = reasonOf(child);
			return fits(el.attrs.from, from) &&
				fits(el.attrs.to, to) &&
				fits(child.attrs.id, id) &&
				fits(why.name, reason) && fits(why.text, text);
		});
}

export const anyJmi = jmi(undefined);

// An iq set with <jingle/>: jingle('session-initiate', { from, sid }).
export function jingle(action, { from, sid, reason, text, child } = {}) {
	return matcher(`${action ?? 'jingle'}` +
		`${words({ from, sid, reason, text, child })}`, (el) => {
		const j = el.name === 'iq' && el.attrs.type === 'set' &&
			el.getChild('jingle', NS.jingle);
		if (!j || !fits(j.attrs.action, action))
			return false;
		const why = reasonOf(j);
		return fits(el.attrs.from, from) && fits(j.attrs.sid, sid) &&
			fits(why.name, reason) && fits(why.text, text) &&
			(child === undefined || j.children.some(
				(c) => c.name && fits(c.name, child)));
	});
}

export function jingleOf(el) {
	return el?.name === 'iq' ? el.getChild('jingle', NS.jingle) : undefined;
}

// Anything of a call: JMI (in carbons too) or Jingle.
export const ofCall = matcher('a call stanza', (el) =>
	jmiOf(el) || (el.name === 'iq' && jingleOf(el)) ||
	jmiOf(carbonOf(el)?.el));

// A notice: a headline from the bare domain of the component.
export function notice(domain, body) {
	return matcher(`notice ${body ?? ''}`, (el) =>
		el.name === 'message' && el.attrs.type === 'headline' &&
		el.attrs.from === domain &&
		fits(el.getChildText('body') ?? undefined, body));
}

export function both(a, b) {
	return matcher(`${a.label} and ${b.label ?? b}`,
		(el) => a(el) && b(el));
}

export function hasChild(name, ns) {
	return matcher(`<${name} xmlns=${ns}/>`,
		(el) => el.getChild(name, ns));
}

// The condition of an error stanza, with its Jingle condition behind a plus.
export function errorOf(el) {
	const error = el.getChild('error');
	const names = (error?.children ?? []).filter((c) => c.name &&
		c.name !== 'text');
	const condition = names.find((c) => c.getNS() === NS.stanzas)?.name;
	const extra = names.find((c) => c.getNS() === NS.errors)?.name;
	return [condition, extra].filter(Boolean).join('+');
}
