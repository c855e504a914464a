/* fuzz_gateway.c: a story of stanzas, link events, time and what the server's
 * module tells, for the gateway. One line is one step: '<' begins a stanza or
 * a session, any other character chooses a step, and the ones behind it the
 * parts of a stanza from small tables. Each iq get and set is answered once,
 * nothing goes to ourselves or comes from elsewhere, errors are not answered,
 * no time is due that has passed, and the gateway's invariants hold.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

#include <stdio.h>
#include "mod_privatecall/presence/address.h"
#include "mod_privatecall/presence/gateway.h"
#include "mod_privatecall/presence/module.h"

#define LINE_MAX 4096

struct story {
	struct gateway *g;
	struct settings_site site;
	struct gateway_env env;
	struct arena *arena;
	char asked[128];           /* id of the last question */
	char asked_of[128];
};

static const char *const users[] = {
	"alice@h/x", "alice@h/y", "bob@h/x", "bob@h", "alice@h", "dora@o/x",
	"eve@far/x", "h", "bob@c.h", "c.h", "bob@h/y", "a\\40b@h/z",
};
static const char *const ours[] = {
	"c.h", "bob@c.h", "alice@c.h/call", "dora\\40o@c.h", "bob\\40h@c.h",
	"eve\\40far@c.h", "nobody@c.h", "alice@c.h", "c.h/x", "bob@c.h/x",
};
static const char *const types[] = {
	"", "unavailable", "subscribe", "subscribed", "unsubscribe",
	"unsubscribed", "probe", "error", "chat", "get", "set", "result",
};
static const char *const kids[] = {
	"", "<show>dnd</show>", "<show>away</show><priority>3</priority>",
	"<priority>-1</priority>", "<idle xmlns='urn:xmpp:idle:1' "
	"since='1970-01-01T00:16:40Z'/>",
	"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' "
	"ver='kWBfW7dkgTNYUkQXJx33bfDYD4s='/>",
	"<c xmlns='http://jabber.org/protocol/caps' hash='md5' node='n' "
	"ver='v'/>",
	"<query xmlns='http://jabber.org/protocol/disco#info'><identity "
	"category='a' type='b'/><feature var='urn:xmpp:carbons:2'/></query>",
	"<query xmlns='http://jabber.org/protocol/disco#info'/>",
	"<query xmlns='jabber:iq:register'/>",
	"<query xmlns='jabber:iq:register'><remove/></query>",
	"<query xmlns='jabber:iq:gateway'><prompt>bob@o</prompt></query>",
	"<ping xmlns='urn:xmpp:ping'/>", "<vCard xmlns='vcard-temp'/>",
	"<body>hi</body>", "<received xmlns='urn:xmpp:receipts' id='1'/>",
	"<show>chat</show><c xmlns='http://jabber.org/protocol/caps' "
	"hash='x' node='https://monal-im.org/' ver='v'/>", "<show>xa</show>",
	"<query xmlns='http://jabber.org/protocol/disco#info' "
	"node='urn:privatecall:gateway#x'/>",
	"<query xmlns='http://jabber.org/protocol/disco#info'><feature "
	"var='urn:xmpp:jingle:apps:rtp:1'/><feature var='urn:xmpp:jingle:"
	"transports:ice-udp:1'/></query>",
	"<query xmlns='http://jabber.org/protocol/disco#info'><feature "
	"var='urn:xmpp:jingle-message:0'/></query>",
	"<query xmlns='http://jabber.org/protocol/disco#items'/>",
	"<query xmlns='jabber:iq:version'/>",
	"<query xmlns='jabber:iq:gateway'/>",
	"<query xmlns='jabber:iq:gateway'><prompt> bob </prompt></query>",
	"<query xmlns='jabber:iq:gateway'><prompt>b@h/x</prompt></query>",
	"<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
	"<active xmlns='http://jabber.org/protocol/chatstates'/><x/>",
	"<store xmlns='urn:xmpp:hints'/><thread>t</thread>",
	"<error by='h' type='wait'><gone xmlns='urn:ietf:params:xml:ns:"
	"xmpp-stanzas'/></error>",
};
/* What a session shows, as the module tells it. */
static const char *const shown[] = {
	"", "priority='-1'", "show='dnd'", "show='away' priority='5'",
	"idle='1970-01-01T00:16:40Z'", "hibernating='true'",
	"hash='sha-1' node='http://conversations.im' ver='v'",
	"hash='sha-1' node='n' ver='kWBfW7dkgTNYUkQXJx33bfDYD4s='",
	"node='n' ver='v' show='xa'",
};
static const char *const hosts[] = { "h", "o", NULL };
#define PICK(table, c) \
	((table)[(unsigned char)(c) % (sizeof(table) / sizeof(*(table)))])

static bool ours_is(const struct story *st, const char *jid)
{
	struct jid j;

	assert(!jid_parse(st->arena, jid, &j));
	return address_is_ours(st->g, &j);
}

/* Counts the answers to iq `s` (may be NULL) among what is done. */
static unsigned check_actions(struct story *st, const struct stanza *s)
{
	const struct gateway_action *a;
	unsigned answers = 0;

	for (a = st->env.first; a; a = a->next) {
		const char *id, *type, *to;

		if (a->kind != GATEWAY_SEND && a->kind != GATEWAY_ASK) {
			assert(a->jid || (a->contact.user &&
					  a->contact.contact));
			continue;
		}
		to = xml_get(a->stanza, "to");
		id = xml_get(a->stanza, "id");
		type = xml_get(a->stanza, "type");
		assert(xml_write(st->arena, a->stanza, NS_COMPONENT, NULL));
		assert(ours_is(st, xml_get(a->stanza, "from")));
		assert(!ours_is(st, to));
		if (a->kind == GATEWAY_ASK) {
			snprintf(st->asked, sizeof(st->asked), "%s", id);
			snprintf(st->asked_of, sizeof(st->asked_of), "%s",
				 to);
		} else if (s && xml_is(a->stanza, NS_COMPONENT, "iq")) {
			assert(!strcmp(id, s->id));
			assert(!strcmp(to, s->from.full));
			assert(!strcmp(type, "result") ||
			       !strcmp(type, "error"));
			answers++;
		}
	}
	st->env.first = st->env.last = NULL;
	return answers;
}

static void feed(struct story *st, const char *text)
{
	struct gateway_session session;
	struct xml_elem *e;
	struct stanza s;
	struct why why;
	unsigned n;
	bool ask;

	if (xml_parse(st->arena, text, strlen(text), NS_COMPONENT,
		      &xml_limits_default, &e))
		return;
	if (!strcmp(e->name, "session") &&
	    !module_read_session(st->arena, e, &session))
		assert(!gateway_session(st->g, &session, &st->env));
	if (stanza_parse(st->arena, e, &s, &why))
		return;
	if (!address_is_ours(st->g, &s.to))
		return;
	ask = s.kind == STANZA_IQ && (!strcmp(s.type, "get") ||
				      !strcmp(s.type, "set"));
	if (s.kind == STANZA_PRESENCE)
		assert(!gateway_presence(st->g, &s, &st->env));
	else if (s.kind == STANZA_MESSAGE)
		assert(!gateway_message(st->g, &s, &st->env,
					!s.id || s.id[0] != 'n'));
	else if (ask)
		assert(!gateway_iq(st->g, &s, &st->env));
	else
		assert(!gateway_answer(st->g, &s, &st->env));
	if (!strcmp(s.type, "error") && s.kind == STANZA_PRESENCE)
		assert(!st->env.first);
	n = check_actions(st, &s);
	if (s.kind == STANZA_IQ)
		assert(n == (ask && !address_is_ours(st->g, &s.from)) || !ask);
}

/* A stanza of the tables: kind, type, from, to, child, by one byte each. */
static void feed_table(struct story *st, const char *line, size_t n)
{
	static const char *const names[] = { "presence", "message", "iq" };
	const char *kind, *type, *from;
	char text[1024];

	if (n < 6)
		return;
	kind = PICK(names, line[1]);
	type = PICK(types, line[2]);
	from = PICK(users, line[3]);
	if (!strcmp(kind, "iq") && !strcmp(type, "result") && st->asked[0])
		from = st->asked_of;
	snprintf(text, sizeof(text), "<%s from='%s' to='%s' id='%s' %s%s%s>"
		 "%s</%s>", kind, from, PICK(ours, line[4]),
		 !strcmp(type, "result") ? st->asked : "m1",
		 *type ? "type='" : "", type, *type ? "'" : "",
		 PICK(kids, line[5]), kind);
	feed(st, text);
}

/* What the module tells of one device, or of a host. */
static void tell(struct story *st, char what, const char *user, char how)
{
	const char *host = hosts[(unsigned char)how % 2];
	char text[512];
	bool fresh;
	struct jid full;

	assert(!jid_parse(st->arena, user, &full));
	if (what == 's') {
		snprintf(text, sizeof(text), "<session jid='%s' %s/>", user,
			 PICK(shown, how));
		feed(st, text);
	} else if (what == 'g') {
		gateway_session_gone(st->g, &full, &st->env);
	} else if (what == 'c') {
		fresh = gateway_is_fresh(st->g, full.bare);
		gateway_session_changed(st->g, &full, &st->env);
		assert(fresh || !gateway_is_fresh(st->g, full.bare));
	} else if (what == 'p' || what == 'q') {
		gateway_replay(st->g, how & 2 ? host : full.bare, what == 'q',
			       &st->env);
	} else if (what == 'o') {
		gateway_set_host(st->g, host, how & 2);
	} else if (what == 'u') {
		gateway_untold(st->g, host, &st->env);
	} else if (what == 'k') {
		gateway_heard(st->g, &full);
	} else {
		gateway_learn_bundles(st->g, user, how & 1, st->arena);
	}
}

/* A row as it was stored, or a damaged one. */
static void restore(struct story *st, const char *user, const char *contact,
		    char how)
{
	struct gateway_contact row = {
		.user = user, .contact = contact,
		.to = how & 1, .from = how & 2, .ask = how & 4,
	};
	int rc = gateway_restore_contact(st->g, &row);

	assert(!rc || rc == EBADMSG);
	assert(rc || gateway_knows(st->g, user));
}

static void step(struct story *st, const char *line, size_t n)
{
	struct gateway_env *env = &st->env;

	switch (line[0]) {
	case '<':
		feed(st, line);
		break;
	case 'U':
		gateway_up(st->g, env);
		break;
	case 'D':
		gateway_down(st->g, env);
		break;
	case 'S':
		gateway_stop(st->g, env);
		break;
	case 'T':
		env->now += 5000;
		env->wall += 5000;
		gateway_tick(st->g, env);
		assert(gateway_deadline(st->g) >= env->now);
		break;
	case 'E':
		st->site.enabled = !st->site.enabled;
		gateway_enabled(st->g, env);
		break;
	case 'R':
		st->site.remote_users = true;
		break;
	case 'H':
	case 'h':
		gateway_hold(st->g, "alice@h", "bob@h", line[0] == 'H', env);
		break;
	case 's':
	case 'g':
	case 'c':
	case 'p':
	case 'q':
	case 'o':
	case 'u':
	case 'k':
	case 'b':
		if (n > 2)
			tell(st, line[0], PICK(users, line[1]), line[2]);
		break;
	case 'r':
		/* The store keeps no row that says nothing. */
		if (n > 3 && line[3] & 7)
			restore(st, PICK(users, line[1]), PICK(ours, line[2]),
				line[3]);
		break;
	default:
		feed_table(st, line, n);
	}
	check_actions(st, NULL);
	gateway_check(st->g);
}

static void count_device(const struct gateway_device *d, void *arg)
{
	unsigned *readable = arg;

	assert(d->jid && d->show && d->priority >= -128 && d->priority <= 127);
	assert(d->known || (!d->plain && !d->jmi && !d->carbons));
	assert(!d->plain || !d->jmi);
	*readable += d->priority >= 0;
}

static void ask_all(struct story *st)
{
	struct gateway_counts counts;
	struct leg_target *t;
	unsigned readable, n;
	bool dnd;

	gateway_counts(st->g, &counts);
	assert(counts.remote <= counts.users);

	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		const char *u = users[i];
		bool active = gateway_active(st->g, u, st->env.wall, &dnd);

		assert(!active || (gateway_knows(st->g, u) && !dnd));
		n = gateway_targets(st->g, st->arena, u, &t);
		assert(!active || n);
		/* Who hibernates can be rung, but reads nothing. */
		assert(n || !gateway_can_read(st->g, u));
		readable = 0;
		gateway_describe(st->g, u, count_device, &readable);
		assert(readable == n);
		assert(gateway_knows(st->g, u) || (!gateway_lang(st->g, u) &&
			!gateway_is_fresh(st->g, u) &&
			!gateway_has_contact(st->g, u, "bob@h")));
		assert(!gateway_has_contact(st->g, "alice@h", u) ||
		       gateway_knows(st->g, "alice@h"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story st = { .env = { .now = 1000, .wall = 1000000 } };
	struct gateway_conf conf = { .domain = "c.h", .hosts = hosts,
				     .site = &st.site };
	const uint8_t *end = data + size, *eol;
	char line[LINE_MAX];

	settings_site_default(&st.site);
	st.site.idle_limit = 10000;
	st.g = gateway_new(&conf);
	st.arena = st.env.arena = arena_new(0);
	assert(st.g && st.arena);
	gateway_up(st.g, &st.env);
	for (; data < end; data = eol + 1) {
		size_t n;

		eol = memchr(data, '\n', (size_t)(end - data));
		if (!eol)
			eol = end;
		n = (size_t)(eol - data);
		if (n && n < sizeof(line)) {
			memcpy(line, data, n);
			line[n] = '\0';
			step(&st, line, n);
			ask_all(&st);
		}
		arena_reset(st.arena);
		if (eol == end)
			break;
	}
	gateway_free(st.g);
	arena_free(st.arena);
	return 0;
}
