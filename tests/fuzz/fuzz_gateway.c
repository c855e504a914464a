/* fuzz_gateway.c: a story of stanzas, link events and time for the gateway.
 * One line is one step: '<' begins a stanza, any other character chooses a
 * step, and the ones behind it the parts of a stanza from small tables.
 * Each iq get and set is answered once, nothing goes to ourselves or comes from
 * elsewhere, errors are not answered, and the gateway's invariants hold.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include "mod_privatecall/presence/address.h"
#include "mod_privatecall/presence/gateway.h"

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
};
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
	struct xml_elem *e;
	struct stanza s;
	struct why why;
	unsigned n;
	bool ask;

	if (xml_parse(st->arena, text, strlen(text), NS_COMPONENT,
		      &xml_limits_default, &e) ||
	    stanza_parse(st->arena, e, &s, &why))
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
	default:
		feed_table(st, line, n);
	}
	check_actions(st, NULL);
	gateway_check(st->g);
}

static void ask_all(struct story *st)
{
	struct leg_target *t;
	bool dnd;

	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		const char *u = users[i];
		bool active = gateway_active(st->g, u, st->env.wall, &dnd);

		assert(!active || (gateway_knows(st->g, u) && !dnd));
		assert(!active || gateway_can_read(st->g, u));
		assert(gateway_can_read(st->g, u) ==
		       (gateway_targets(st->g, st->arena, u, &t) > 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = { "h", "o", NULL };
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
