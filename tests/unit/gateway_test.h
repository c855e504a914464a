/* gateway_test.h: gateway mode, stanza by stanza. What comes out is compared
 * as lines: "P type from > to" for presence ("+c": with caps), the XML of other
 * stanzas after SEND or ASK, PUT and DEL of rows (t, f, a: to, from, ask), and
 * GONE, BACK, READY.
 */
#ifndef TESTS_UNIT_GATEWAY_TEST_H
#define TESTS_UNIT_GATEWAY_TEST_H

#include "tests/unit/stanza_test.h"

#include "jingle/stanza/disco.h"
#include "mod_privatecall/presence/gateway.h"

#define MAX 65536

static struct settings_site site;
static struct gateway *g;
static struct gateway_env env;
static char out[MAX];
static bool allowed;

static inline int set_up(void **state)
{
	static const char *const hosts[] = { "h", "o", NULL };
	struct gateway_conf conf = { .domain = "c.h", .hosts = hosts,
				     .site = &site };

	(void)state;
	settings_site_default(&site);
	g = gateway_new(&conf);
	memset(&env, 0, sizeof(env));
	env.arena = arena_new(0);
	env.now = 1000;
	env.wall = 1700000000000;
	allowed = true;
	return g ? 0 : -1;
}

static inline int tear_down(void **state)
{
	(void)state;
	gateway_free(g);
	arena_free(env.arena);
	return 0;
}

static inline void line(const char *text)
{
	assert_true(strlen(out) + strlen(text) + 2 < MAX);
	strcat(out, text);
	strcat(out, "\n");
}

static inline const char *or_empty(const char *s)
{
	return s ? s : "";
}

static inline void print_stanza(const char *kind, const struct xml_elem *e)
{
	const char *type = xml_get(e, "type");

	assert_non_null(e);
	if (!xml_is(e, NS_COMPONENT, "presence") ||
	    !strcmp(or_empty(type), "error"))
		line(arena_printf(env.arena, "%s %s", kind,
				  xml_write(env.arena, e, NS_COMPONENT,
					    NULL)));
	else
		line(arena_printf(env.arena, "P%s%s %s > %s%s",
				  type ? " " : "", or_empty(type),
				  xml_get(e, "from"), xml_get(e, "to"),
				  xml_child(e, NS_CAPS, "c") ? " +c" : ""));
}

/* All actions as text in `out`. */
static inline void print_actions(void)
{
	const struct gateway_action *a = env.first;

	gateway_check(g);
	env.first = env.last = NULL;
	out[0] = '\0';
	for (; a; a = a->next) {
		const struct gateway_contact *c = &a->contact;

		switch (a->kind) {
		case GATEWAY_SEND:
			print_stanza("SEND", a->stanza);
			break;
		case GATEWAY_ASK:
			print_stanza("ASK", a->stanza);
			break;
		case GATEWAY_CONTACT_PUT:
		case GATEWAY_CONTACT_DEL:
			line(arena_printf(env.arena, "%s %s %s %s%s%s",
					  a->kind == GATEWAY_CONTACT_PUT ?
					  "PUT" : "DEL", c->user, c->contact,
					  c->to ? "t" : "", c->from ? "f" : "",
					  c->ask ? "a" : ""));
			break;
		case GATEWAY_DEVICE_GONE:
			line(arena_printf(env.arena, "GONE %s", a->jid));
			break;
		case GATEWAY_DEVICE_BACK:
			line(arena_printf(env.arena, "BACK %s", a->jid));
			break;
		case GATEWAY_READY:
			line(arena_printf(env.arena, "READY %s", a->jid));
			break;
		case GATEWAY_CHANGED:
			line(arena_printf(env.arena, "CHANGED %s", a->jid));
			break;
		}
	}
}

static inline void feed(const char *text)
{
	struct stanza s;
	struct why why;

	arena_reset(env.arena);
	assert_int_equal(stanza_parse(env.arena, tree(env.arena, text), &s,
				      &why), 0);
	if (s.kind == STANZA_PRESENCE)
		assert_int_equal(gateway_presence(g, &s, &env), 0);
	else if (s.kind == STANZA_MESSAGE)
		assert_int_equal(gateway_message(g, &s, &env, allowed), 0);
	else if (!strcmp(s.type, "get") || !strcmp(s.type, "set"))
		assert_int_equal(gateway_iq(g, &s, &env), 0);
	else
		assert_int_equal(gateway_answer(g, &s, &env), 0);
	print_actions();
}

static inline void gives(const char *text, const char *want)
{
	feed(text);
	assert_string_equal(out, want);
}

/* A presence: type, from, to and children. */
static inline const char *p(const char *type, const char *from, const char *to,
		     const char *children)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		 "<presence type='%s' from='%s' to='%s'>%s</presence>", type,
		 from, to, children);
	if (!*type)
		snprintf(text, sizeof(text),
			 "<presence from='%s' to='%s'>%s</presence>", from,
			 to, children);
	return text;
}

static inline void up(void)
{
	arena_reset(env.arena);
	gateway_up(g, &env);
	print_actions();
}

static inline void tick_to(int64_t now)
{
	arena_reset(env.arena);
	env.wall += now - env.now;
	env.now = now;
	gateway_tick(g, &env);
	print_actions();
}

/* Alice and bob have added each other, and the service sees both. */
static inline void two_friends(void)
{
	static const struct gateway_contact rows[] = {
		{ "alice@h", "c.h", true, true, false },
		{ "bob@h", "c.h", true, true, false },
		{ "alice@h", "bob@c.h", true, true, false },
		{ "bob@h", "alice@c.h", true, true, false },
	};

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(gateway_restore_contact(g, &rows[i]), 0);
	up();
}

static inline void ver_of(const char *query, char ver[DISCO_VER_SIZE])
{
	char text[5000];
	struct disco_info info;

	snprintf(text, sizeof(text), "<iq>%s</iq>", query);
	assert_int_equal(disco_parse(env.arena, tree(env.arena, text), &info,
				     NULL), 0);
	assert_int_equal(disco_ver(env.arena, &info, ver), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
