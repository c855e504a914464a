/* leg_store.c: a leg as a row of the store, and back (see leg.h).
 *
 * Lines of words; what a peer chose is percent-encoded, so that no name can
 * forge a line:
 *	device plain,full,done,gone SID JID
 *	content initiator|responder SPELLED UFRAG PWD NAME
 *	media N
 *	dialed JID
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "jingle/session/leg_private.h"

bool leg_has_fingerprints(const struct leg *l)
{
	const struct leg_content *c;

	for (c = l->contents; c; c = c->next)
		if (!c->fingerprint && !l->fingerprints)
			return false;
	return l->contents != NULL;
}

unsigned leg_flags(const struct leg *l)
{
	return (l->jmi ? LEG_FLAG_JMI : 0) |
	       (l->gateway ? LEG_FLAG_GATEWAY : 0) |
	       (l->finish_due && !l->finished ? LEG_FLAG_FINISH_DUE : 0) |
	       (leg_has_fingerprints(l) ? LEG_FLAG_FINGERPRINTS : 0);
}

/* "-" stands for absent. */
static const char *encode(struct arena *a, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out, *o;

	if (!s)
		return "-";
	o = out = arena_alloc(a, strlen(s) * 3 + 2);
	if (!out)
		return NULL;
	if (!*s)
		*o++ = '%';
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > ' ' && c != '%' && c != 0x7f &&
		    !(c == '-' && o == out)) {
			*o++ = (char)c;
			continue;
		}
		*o++ = '%';
		*o++ = hex[c >> 4];
		*o++ = hex[c & 15];
	}
	*o = 0;
	return out;
}

static int hex_value(char c)
{
	const char *digits = "0123456789ABCDEF", *at;

	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* In place. False: not ours. */
static bool decode(char *s)
{
	char *o = s;

	if (strcmp(s, "%") == 0) {
		*s = 0;
		return true;
	}
	for (; *s; s++) {
		if (*s != '%') {
			*o++ = *s;
			continue;
		}
		if (hex_value(s[1]) < 0 || hex_value(s[2]) < 0)
			return false;
		*o++ = (char)(hex_value(s[1]) << 4 | hex_value(s[2]));
		s += 2;
	}
	*o = 0;
	return true;
}

char *leg_data(const struct leg *l, struct arena *a)
{
	const struct leg_content *c;
	const struct leg_device *d;
	char *out = arena_printf(a, "media %u\n", l->media);

	if (l->dialed)
		out = arena_printf(a, "%sdialed %s\n", out ? out : "",
				   encode(a, l->dialed));

	for (d = l->devices; d; d = d->next)
		out = arena_printf(a, "%sdevice %d%d%d%d%d %s %s\n",
				   out ? out : "", d->plain, d->by_full,
				   d->done, d->gone, d->initiated,
				   encode(a, d->sid), encode(a, d->jid));
	for (c = l->contents; c; c = c->next)
		out = arena_printf(a, "%scontent %s %s %s %s %s\n",
				   out ? out : "",
				   c->by_callee ? "responder" : "initiator",
				   encode(a, c->spelled), encode(a, c->ufrag),
				   encode(a, c->pwd), encode(a, c->name));
	return arena_failed(a) ? NULL : out;
}

static char *word(char **at)
{
	char *w;

	do
		w = strsep(at, " ");
	while (w && !*w);
	return w && decode(w) ? w : NULL;
}

static char *optional(char *w)
{
	return w && strcmp(w, "-") == 0 ? NULL : w;
}

static int restore_device(struct leg *l, char *at)
{
	char *flags = word(&at), *sid, *jid;
	struct leg_device *d;

	sid = word(&at);
	jid = word(&at);
	if (!flags || strlen(flags) != 5 || !sid || !jid)
		return EBADMSG;
	d = leg_add_device(l, jid);
	if (!d)
		return l->failed ? ENOMEM : EBADMSG;
	leg_assign(l, &d->sid, optional(sid));
	d->plain = flags[0] == '1';
	d->by_full = flags[1] == '1';
	d->done = flags[2] == '1';
	d->gone = flags[3] == '1';
	d->initiated = flags[4] == '1';
	return 0;
}

static int restore_content(struct leg *l, char *at)
{
	char *creator = word(&at), *spelled, *ufrag, *pwd, *name;
	struct leg_content *c, **last = &l->contents;

	spelled = word(&at);
	ufrag = word(&at);
	pwd = word(&at);
	name = word(&at);
	if (!creator || !spelled || !ufrag || !pwd || !name)
		return EBADMSG;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ENOMEM;
	leg_assign(l, &c->name, name);
	leg_assign(l, &c->spelled, optional(spelled));
	leg_assign(l, &c->ufrag, optional(ufrag));
	leg_assign(l, &c->pwd, optional(pwd));
	c->by_callee = strcmp(creator, "responder") == 0;
	while (*last)
		last = &(*last)->next;
	*last = c;
	return l->failed ? ENOMEM : 0;
}

static int restore_line(struct leg *l, char *line)
{
	char *what = word(&line);

	if (!what)
		return 0;
	if (strcmp(what, "media") == 0) {
		what = word(&line);
		if (what)
			l->media = (unsigned)atoi(what);
		return what ? 0 : EBADMSG;
	}
	if (strcmp(what, "dialed") == 0) {
		what = word(&line);
		leg_assign(l, &l->dialed, what);
		return what ? 0 : EBADMSG;
	}
	if (strcmp(what, "device") == 0)
		return restore_device(l, line);
	if (strcmp(what, "content") == 0)
		return restore_content(l, line);
	return EBADMSG;
}

int leg_restore(struct leg *l, enum leg_role role, enum leg_state state,
		unsigned flags, const char *device, const char *sid,
		const char *data, uint32_t nonce)
{
	char *copy, *at, *line;
	int rc = 0;

	if (state >= LEG_STATES)
		return EBADMSG;
	l->role = role;
	l->state = state;
	l->jmi = flags & LEG_FLAG_JMI;
	l->gateway = flags & LEG_FLAG_GATEWAY;
	l->finish_due = flags & LEG_FLAG_FINISH_DUE;
	l->fingerprints = flags & LEG_FLAG_FINGERPRINTS;
	l->restored = true;
	l->nonce = nonce;
	leg_assign(l, &l->device, device);
	leg_assign(l, &l->sid, sid);
	at = copy = strdup(data ? data : "");
	if (!copy)
		return ENOMEM;
	while (!rc && (line = strsep(&at, "\n")))
		rc = restore_line(l, line);
	free(copy);
	if (!rc && state != LEG_IDLE && state != LEG_ENDED &&
	    (!sid || (!device && state != LEG_RINGING)))
		rc = EBADMSG;
	return l->failed ? ENOMEM : rc;
}
