/* leg_store.c: a leg as a row of the store, and back (see leg.h).
 *
 * Lines of words; what a peer chose is percent-encoded, so that no name can
 * forge a line:
 *	device plain,full,done,gone SID JID
 *	content initiator|responder SPELLED UFRAG PWD NAME [TRANSPORT [active|
 *		passive FINGERPRINT]]
 *	ours TRANSPORT UFRAG PWD [FINGERPRINT]
 *	media N
 *	dialed JID
 *	returned MS
 *	his NAME HIS, says NAME DESCRIPTION (packed), home NAME TRANSPORT: of a
 *		content above
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
	       (leg_has_fingerprints(l) ? LEG_FLAG_FINGERPRINTS : 0) |
	       (l->turned ? LEG_FLAG_TURNED : 0) |
	       (l->absent ? LEG_FLAG_ABSENT : 0) |
	       (l->stranger ? LEG_FLAG_STRANGER : 0);
}

/* At most, a blank before it included. */
static size_t encoded_size(const char *s)
{
	return s ? 3 * strlen(s) + 2 : 2;
}

/* " WORD", "-" stands for absent; returns its end. */
static char *encode(char *o, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *from = s;

	*o++ = ' ';
	if (!s || !*s) {
		*o++ = s ? '%' : '-';
		return o;
	}
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > ' ' && c != '%' && c != 0x7f &&
		    !(c == '-' && s == from)) {
			*o++ = (char)c;
			continue;
		}
		*o++ = '%';
		*o++ = hex[c >> 4];
		*o++ = hex[c & 15];
	}
	return o;
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

#define LINE 32                    /* of a line, its encoded words left out */

static size_t words_size(const char *name, const char *words)
{
	return words ? LINE + encoded_size(name) + encoded_size(words) : 0;
}

static size_t data_size(const struct leg *l)
{
	const struct leg_content *c;
	const struct leg_device *d;
	const struct leg_ours *o;
	unsigned i;
	size_t n = 3 * LINE + encoded_size(l->dialed);

	for (d = l->devices; d; d = d->next)
		n += LINE + encoded_size(d->sid) + encoded_size(d->jid);
	for (i = 0; i < LEG_TRANSPORTS_MAX; i++) {
		o = leg_ours(l, i);
		n += o ? LINE + encoded_size(o->ufrag) +
			 encoded_size(o->pwd) +
			 encoded_size(o->print) : 0;
	}
	for (c = l->contents; c; c = c->next)
		n += LINE + encoded_size(c->spelled) +
		     encoded_size(c->ufrag) + encoded_size(c->pwd) +
		     encoded_size(c->name) + encoded_size(c->print) +
		     words_size(c->name, c->home ? "0" : NULL) +
		     words_size(c->name, c->his) +
		     words_size(c->name, c->says);
	return n;
}

static char *put_device(char *o, const struct leg_device *d)
{
	const bool flags[] = { d->plain, d->by_full, d->done, d->gone,
			       d->initiated };
	size_t i;

	o = stpcpy(o, "device ");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		*o++ = flags[i] ? '1' : '0';
	o = encode(o, d->sid);
	o = encode(o, d->jid);
	return stpcpy(o, "\n");
}

static char *put_words(char *o, const char *what, const char *name,
		       const char *words)
{
	if (!words)
		return o;
	o = encode(stpcpy(o, what), name);
	o = encode(o, words);
	return stpcpy(o, "\n");
}

static char *put_content(char *o, const struct leg_content *c)
{
	o = stpcpy(o, c->by_callee ? "content responder" :
				     "content initiator");
	o = encode(o, c->spelled);
	o = encode(o, c->ufrag);
	o = encode(o, c->pwd);
	o = encode(o, c->name);
	if (c->transport) {
		*o++ = ' ';
		*o++ = (char)('0' + c->transport - 1);
	}
	if (c->transport && c->print)
		o = encode(stpcpy(o, c->begins ? " active" : " passive"),
			   c->print);
	o = stpcpy(o, "\n");
	if (c->home) {
		o = encode(stpcpy(o, "home"), c->name);
		*o++ = ' ';
		*o++ = (char)('0' + c->home - 1);
		o = stpcpy(o, "\n");
	}
	o = put_words(o, "his", c->name, c->his);
	return put_words(o, "says", c->name, c->says);
}

static char *put_ours(char *o, const struct leg_ours *ours, unsigned number)
{
	o = stpcpy(o, "ours ");
	*o++ = (char)('0' + number);
	o = encode(o, ours->ufrag);
	o = encode(o, ours->pwd);
	if (ours->print)
		o = encode(o, ours->print);
	return stpcpy(o, "\n");
}

/* Written for each change of a call: one piece of memory, no formats. */
char *leg_data(const struct leg *l, struct arena *a)
{
	const struct leg_content *c;
	const struct leg_device *d;
	unsigned i;
	char *out = arena_bytes(a, data_size(l)), *o = out;

	if (!out)
		return NULL;
	o = stpcpy(o, "media ");
	*o++ = (char)('0' + (l->media & (MEDIA_AUDIO | MEDIA_VIDEO)));
	o = stpcpy(o, "\n");
	if (l->dialed) {
		o = encode(stpcpy(o, "dialed"), l->dialed);
		o = stpcpy(o, "\n");
	}
	if (l->returned) {
		o = stpcpy(o, "returned ");
		o += snprintf(o, LINE - 10, "%lld\n",
			      (long long)l->returned);
	}
	for (d = l->devices; d; d = d->next)
		o = put_device(o, d);
	for (c = l->contents; c; c = c->next)
		o = put_content(o, c);
	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (leg_ours(l, i))
			o = put_ours(o, leg_ours(l, i), i);
	return out;
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

/* -1: none. */
static int number_of(const char *w)
{
	return w && w[0] >= '0' && w[0] < '0' + LEG_TRANSPORTS_MAX && !w[1] ?
	       w[0] - '0' : -1;
}

static int restore_ours(struct leg *l, char *at)
{
	int number = number_of(word(&at));
	char *ufrag = word(&at), *pwd = word(&at);

	if (number < 0 || !ufrag || !pwd)
		return EBADMSG;
	leg_set_ours(l, (unsigned)number, ufrag, pwd);
	leg_set_print(l, (unsigned)number, word(&at));
	return 0;
}

static int restore_content(struct leg *l, char *at)
{
	char *creator = word(&at), *spelled, *ufrag, *pwd, *name, *role;
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
	c->spelled = leg_creator(spelled);
	leg_assign(l, &c->ufrag, optional(ufrag));
	leg_assign(l, &c->pwd, optional(pwd));
	c->by_callee = strcmp(creator, "responder") == 0;
	c->transport = number_of(word(&at)) + 1;
	role = word(&at);
	c->begins = role && strcmp(role, "active") == 0;
	leg_assign(l, &c->print, role ? word(&at) : NULL);
	while (*last)
		last = &(*last)->next;
	*last = c;
	return l->failed ? ENOMEM : 0;
}

static int restore_words(struct leg *l, bool his, char *at)
{
	char *name = word(&at), *words = word(&at);
	struct leg_content *c = leg_find_content(l, name);

	if (!c || !words)
		return EBADMSG;
	leg_assign(l, his ? &c->his : &c->says, words);
	return l->failed ? ENOMEM : 0;
}

static int restore_home(struct leg *l, char *at)
{
	struct leg_content *c = leg_find_content(l, word(&at));
	int number = number_of(word(&at));

	if (!c || !c->transport || number < 0 || number + 1 == c->transport)
		return EBADMSG;
	c->home = number + 1;
	return 0;
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
	if (strcmp(what, "returned") == 0) {
		what = word(&line);
		if (what)
			l->returned = atoll(what);
		return what ? 0 : EBADMSG;
	}
	if (strcmp(what, "home") == 0)
		return restore_home(l, line);
	if (strcmp(what, "his") == 0 || strcmp(what, "says") == 0)
		return restore_words(l, what[0] == 'h', line);
	if (strcmp(what, "device") == 0)
		return restore_device(l, line);
	if (strcmp(what, "content") == 0)
		return restore_content(l, line);
	if (strcmp(what, "ours") == 0)
		return restore_ours(l, line);
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
	l->turned = flags & LEG_FLAG_TURNED;
	l->absent = flags & LEG_FLAG_ABSENT;
	l->stranger = flags & LEG_FLAG_STRANGER;
	if (l->turned)
		l->role = LEG_CALLER;
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
