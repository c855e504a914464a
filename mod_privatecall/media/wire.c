/* wire.c: the messages between control and media, checked (see wire.h). */
#include "mod_privatecall/media/wire.h"

#include <errno.h>
#include <string.h>

enum { OF_CALL = 1, OF_TRANSPORT = 2, OF_SIDE = 4, OF_MEDIA = 8 };

#define BASE offsetof(struct wire_msg, hello)
#define WITH(part) (BASE + sizeof(((struct wire_msg *)0)->part))
#define ONE_SIDE (OF_CALL | OF_TRANSPORT | OF_SIDE)

static const struct {
	const char *name;
	size_t size;
	unsigned of;
} kinds[WIRE_KINDS] = {
	[WIRE_HELLO] = { "hello", WITH(hello), 0 },
	[WIRE_OPEN] = { "open", WITH(open), OF_CALL | OF_TRANSPORT },
	[WIRE_REMOTE] = { "remote", WITH(remote), ONE_SIDE },
	[WIRE_CANDIDATE] = { "candidate", WITH(candidate), ONE_SIDE },
	[WIRE_END] = { "end", BASE, ONE_SIDE },
	[WIRE_SECURITY] = { "security", WITH(security), ONE_SIDE },
	[WIRE_MAP] = { "map", WITH(map), ONE_SIDE },
	[WIRE_JOIN] = { "join", WITH(join), ONE_SIDE },
	[WIRE_RENEW] = { "renew", WITH(renew), ONE_SIDE },
	[WIRE_RESTART] = { "restart", BASE, ONE_SIDE },
	[WIRE_DROP] = { "drop", BASE, OF_CALL | OF_TRANSPORT },
	[WIRE_CLOSE] = { "close", WITH(close), OF_CALL },
	[WIRE_LIST] = { "list", BASE, 0 },
	[WIRE_WELCOME] = { "welcome", WITH(welcome), OF_MEDIA },
	[WIRE_READY] = { "ready", WITH(ready),
			 OF_MEDIA | OF_CALL | OF_TRANSPORT },
	[WIRE_REFUSED] = { "refused", WITH(refused),
			   OF_MEDIA | OF_CALL | OF_TRANSPORT },
	[WIRE_CREDENTIALS] = { "credentials", WITH(credentials),
			       OF_MEDIA | ONE_SIDE },
	[WIRE_STEP] = { "step", WITH(said), OF_MEDIA | ONE_SIDE },
	[WIRE_TROUBLE] = { "trouble", WITH(trouble), OF_MEDIA | ONE_SIDE },
	[WIRE_CALL] = { "call", WITH(listed),
			OF_MEDIA | OF_CALL | OF_TRANSPORT },
	[WIRE_LISTED] = { "listed", BASE, OF_MEDIA },
	[WIRE_CLOSED] = { "closed", WITH(closed), OF_MEDIA | OF_CALL },
};

void wire_begin(struct wire_msg *m, enum wire_kind kind, const char *call)
{
	memset(m, 0, sizeof(*m));
	m->version = WIRE_VERSION;
	m->kind = (uint16_t)kind;
	if (call)
		strncpy(m->call, call, WIRE_CALL_SIZE - 1);
}

size_t wire_size(enum wire_kind kind)
{
	return kind < WIRE_KINDS ? kinds[kind].size : 0;
}

/* --- checks ----------------------------------------------------------- */

/* A text that ends, with nothing behind its end. */
static bool is_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	while (len < size && !text[len])
		len++;
	return len == size && !text[size - 1];
}

/* ... of printable ASCII, that can be shown to users. */
static bool is_plain_text(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return i && is_text(text, size);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(const char *call)
{
	size_t i;

	for (i = 0; i < WIRE_CALL_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? call[i] != '-' :
		    !memchr("0123456789abcdefABCDEF", call[i], 22))
			return false;
	}
	return !call[i] && is_text(call, WIRE_CALL_SIZE + 3);
}

static bool is_addr(const struct addr *a, bool or_none)
{
	static const uint8_t zero[ADDR_IP_SIZE];

	switch (a->family) {
	case ADDR_NONE:
		return or_none;
	case ADDR_V4:
		return !memcmp(a->ip + 4, zero, ADDR_IP_SIZE - 4);
	default:
		return a->family == ADDR_V6;
	}
}

static bool is_welcome(const struct wire_welcome *w)
{
	uint32_t i;

	if (w->offers > ICE_OFFERS_MAX || w->draining > 1 ||
	    !is_text(w->release, WIRE_RELEASE_SIZE))
		return false;
	for (i = 0; i < w->offers; i++) {
		const struct ice_offer *o = &w->offer[i];

		if (!is_addr(&o->addr, false) || !is_addr(&o->related, true) ||
		    (unsigned)o->type > ICE_RELAY ||
		    !is_text(o->foundation, sizeof(o->foundation)))
			return false;
	}
	return true;
}

static bool are_credentials(const struct wire_credentials *c)
{
	return strnlen(c->ufrag, sizeof(c->ufrag)) == sizeof(c->ufrag) - 1 &&
	       strnlen(c->pwd, sizeof(c->pwd)) == sizeof(c->pwd) - 1;
}

static bool is_fingerprint(const struct wire_fingerprint *f, bool or_none)
{
	return f->len <= WIRE_HASH_MAX && is_text(f->hash, WIRE_HASH_SIZE) &&
	       !f->len == !f->hash[0] && (f->len || or_none);
}

static bool is_part(const struct wire_msg *m)
{
	const char *why;

	switch (m->kind) {
	case WIRE_HELLO:
		return is_text(m->hello.release, WIRE_RELEASE_SIZE);
	case WIRE_OPEN:
		return m->open.mode < WIRE_MODES;
	case WIRE_SECURITY:
		return m->security.active <= 1 &&
		       is_fingerprint(&m->security.fingerprint, false);
	case WIRE_JOIN:
		return m->join.home < WIRE_TRANSPORTS_MAX &&
		       m->join.home != m->transport &&
		       m->join.media < REWRITE_MEDIA;
	case WIRE_RENEW:
		return m->renew.controlling <= 1;
	case WIRE_MAP:
		return !rewrite_map_check(&m->map, &why);
	case WIRE_REMOTE:
		return m->remote.ufrag[0] && m->remote.pwd[0] &&
		       is_text(m->remote.ufrag, WIRE_UFRAG_SIZE) &&
		       is_text(m->remote.pwd, WIRE_PWD_SIZE);
	case WIRE_CANDIDATE:
		return is_text(m->candidate.ufrag, WIRE_UFRAG_SIZE) &&
		       is_addr(&m->candidate.addr, false) &&
		       m->candidate.type <= ICE_RELAY;
	case WIRE_WELCOME:
		return is_welcome(&m->welcome);
	case WIRE_READY:
		return are_credentials(&m->ready.side[WIRE_CALLER]) &&
		       are_credentials(&m->ready.side[WIRE_CALLEE]) &&
		       is_fingerprint(&m->ready.fingerprint, true);
	case WIRE_REFUSED:
		return m->refused.why < WIRE_WHYS;
	case WIRE_CREDENTIALS:
		return are_credentials(&m->credentials);
	case WIRE_STEP:
		return m->said.step < WIRE_STEPS;
	case WIRE_CLOSED:
		return m->closed.mode < WIRE_MODES;
	case WIRE_TROUBLE:
		return is_plain_text(m->trouble.text, WIRE_TROUBLE_SIZE);
	case WIRE_CALL:
		return m->listed.side[WIRE_CALLER].state < ICE_STATES &&
		       m->listed.side[WIRE_CALLEE].state < ICE_STATES;
	default:
		return true;
	}
}

static bool is_named(const struct wire_msg *m, unsigned of)
{
	static const char none[WIRE_CALL_SIZE + 3];

	return (of & OF_CALL ? is_uuid(m->call) :
		!memcmp(m->call, none, sizeof(none))) &&
	       m->transport < (of & OF_TRANSPORT ? WIRE_TRANSPORTS_MAX : 1) &&
	       m->side < (of & OF_SIDE ? WIRE_SIDES : 1) && !m->zero;
}

int wire_read(const void *packet, size_t len, bool from_media,
	      struct wire_msg *m_r, const char **why_r)
{
	memset(m_r, 0, sizeof(*m_r));
	*why_r = NULL;
	memcpy(m_r, packet, len < sizeof(*m_r) ? len : sizeof(*m_r));
	if (len < BASE)
		*why_r = "too short";
	else if (m_r->version != WIRE_VERSION)
		*why_r = "of another version: both programs must be of one "
			 "release";
	else if (m_r->kind >= WIRE_KINDS || !kinds[m_r->kind].name ||
		 from_media != !!(kinds[m_r->kind].of & OF_MEDIA))
		*why_r = "of an unknown kind";
	else if (len != kinds[m_r->kind].size)
		*why_r = "of another size than its kind has";
	else if (!is_named(m_r, kinds[m_r->kind].of))
		*why_r = "wrong call, transport or side";
	else if (!is_part(m_r))
		*why_r = "wrong value or text";
	return *why_r ? EBADMSG : 0;
}

/* --- names ------------------------------------------------------------ */

const char *wire_kind_name(enum wire_kind kind)
{
	return kind < WIRE_KINDS && kinds[kind].name ? kinds[kind].name : "?";
}

const char *wire_side_name(enum wire_side side)
{
	return side == WIRE_CALLER ? "caller" :
	       side == WIRE_CALLEE ? "callee" : "?";
}

const char *wire_step_name(enum wire_step step)
{
	static const char *const names[WIRE_STEPS] = {
		"checked", "connected", "lost", "failed", "dtls", "media",
		"secure", "insecure",
	};

	return step < WIRE_STEPS ? names[step] : "?";
}

const char *wire_why_name(enum wire_why why)
{
	static const char *const names[WIRE_WHYS] = {
		"full", "draining", "no-memory",
	};

	return why < WIRE_WHYS ? names[why] : "?";
}

const char *wire_drop_name(enum wire_drop drop)
{
	static const char *const names[WIRE_DROPS] = {
		"not-validated", "other-kind", "nobody", "too-early",
		"no-keys", "not-authentic", "replayed", "not-rtp", "not-mapped",
	};

	return drop < WIRE_DROPS ? names[drop] : "?";
}
