/* test_gateway.c: subscriptions, the mirror of presence, features and what
 * contacts show.
 */
#include "tests/unit/gateway_test.h"

/* --- subscriptions ------------------------------------------------------- */

static void test_service(void **state)
{
	(void)state;
	up();
	assert_string_equal(out, "");
	gives(p("subscribe", "alice@h", "c.h", ""),
	      "PUT alice@h c.h ta\n"
	      "P subscribed c.h > alice@h\n"
	      "P subscribe c.h > alice@h\n"
	      "P c.h > alice@h +c\n");
	assert_true(gateway_knows(g, "alice@h"));
	gives(p("subscribed", "alice@h", "c.h", ""), "PUT alice@h c.h tf\n");
	gives(p("subscribed", "alice@h", "c.h", ""), "");
	gives(p("subscribe", "alice@h", "c.h", ""),
	      "PUT alice@h c.h tf\n"
	      "P subscribed c.h > alice@h\n"
	      "P c.h > alice@h +c\n");
	gives(p("probe", "alice@h/x", "c.h", ""), "P c.h > alice@h/x +c\n");
	gives(p("unsubscribe", "alice@h", "c.h", ""),
	      "P unavailable c.h > alice@h\n"
	      "P unsubscribed c.h > alice@h\n"
	      "PUT alice@h c.h f\n");
	gives(p("unsubscribe", "alice@h", "c.h", ""), "");
	gives(p("unsubscribed", "alice@h", "c.h", ""),
	      "DEL alice@h c.h \n");
	assert_false(gateway_knows(g, "alice@h"));
	gives(p("subscribed", "alice@h", "c.h", ""), "");
	gives(p("unsubscribed", "alice@h", "c.h", ""), "");
}

/* Nothing is learned from a contact: carol may exist or not. */
static void test_contact(void **state)
{
	(void)state;
	up();
	gives(p("subscribe", "alice@h", "carol@c.h", ""),
	      "PUT alice@h carol@c.h ta\n"
	      "P subscribed carol@c.h > alice@h\n"
	      "P subscribe carol@c.h > alice@h\n"
	      "P unavailable carol@c.h/call > alice@h\n");
	gives(p("probe", "alice@h/x", "carol@c.h", ""),
	      "P unavailable carol@c.h/call > alice@h/x\n");
	gives(p("probe", "mallory@h/x", "carol@c.h", ""),
	      "P unavailable carol@c.h/call > mallory@h/x\n");
	assert_false(gateway_knows(g, "carol@h"));
	assert_false(gateway_knows(g, "mallory@h"));
	assert_true(gateway_has_contact(g, "alice@h", "carol@h"));
	assert_false(gateway_has_contact(g, "carol@h", "alice@h"));
	gives(p("subscribe", "alice@h", "bob\\40h@c.h", ""),
	      "P unsubscribed bob\\40h@c.h > alice@h\n");
	gives(p("subscribe", "eve@far", "carol@c.h", ""),
	      "P unsubscribed carol@c.h > eve@far\n");
	gives(p("error", "alice@h", "carol@c.h", ""), "");
	gives(p("subscribe", "bob@c.h", "carol@c.h", ""), "");
	gives(p("strange", "alice@h", "carol@c.h", ""), "");
}

static void test_limits(void **state)
{
	struct gateway_counts n;
	char text[64];

	(void)state;
	up();
	for (int i = 0; i < GATEWAY_CONTACTS_MAX; i++) {
		snprintf(text, sizeof(text), "u%d@c.h", i);
		feed(p("subscribe", "alice@h", text, ""));
	}
	gives(p("subscribe", "alice@h", "one@c.h", ""),
	      "SEND <presence type='error' from='one@c.h' "
	      "to='alice@h'><error type='wait'><resource-constraint "
	      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
	      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' "
	      "xml:lang='en'>You have too many contacts here.</text>"
	      "</error></presence>\n");
	for (int i = 0; i < GATEWAY_DEVICES_MAX + 5; i++) {
		snprintf(text, sizeof(text), "bob@h/%d", i);
		feed(p("", text, "alice@c.h", ""));
	}
	gateway_counts(g, &n);
	assert_int_equal(n.over_limit, 6);
	assert_int_equal(n.users, 2);
}

/* --- who bundles --------------------------------------------------------- */

/* Valid until the next one. */
static const char *node_and(const char *node, const char *ver)
{
	static char text[256];

	snprintf(text, sizeof(text), "<c xmlns='" NS_CAPS "' node='%s' "
		 "ver='%s' hash='sha-1'/>", node, ver);
	return text;
}

static bool bundles(const char *device)
{
	struct leg_target *t;
	unsigned n = gateway_targets(g, env.arena, "bob@h", &t), i;

	for (i = 0; i < n; i++)
		if (strcmp(t[i].jid, device) == 0)
			return t[i].bundles;
	fail();
	return false;
}

static void test_bundles_by_node(void **state)
{
	static const struct { const char *node; bool does; } t[] = {
		{ "http://conversations.im", true },
		{ "https://conversations.im", true },
		{ "https://monal-im.org/", true },
		{ "http://monal-im.org", true },
		{ "https://movim.eu/", true },
		{ "https://stanzajs.org", true },
		{ "http://tigase.org/TigaseSwiftX", true },
		{ "https://dino.im", false },
		{ "https://gajim.org", false },
		{ "conversations.im", false },
		{ "urn://conversations.im", false },
		{ "https://conversations.im.example.org", false },
		{ "https://conversations.i", false },
		{ "https://", false },
		{ "https:///", false },
	};

	(void)state;
	up();
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		feed(p("", "bob@h/x", "alice@c.h", node_and(t[i].node, "v")));
		if (bundles("bob@h/x") != t[i].does)
			fail_msg("%s", t[i].node);
	}
	/* Presence without caps takes nothing back. */
	feed(p("", "bob@h/x", "alice@c.h", node_and(t[0].node, "w")));
	feed(p("", "bob@h/x", "alice@c.h", ""));
	assert_true(bundles("bob@h/x"));
}

/* What a device answers is of its user and its caps alone. */
static void test_bundles_learned(void **state)
{
	static const char dino[] = "https://dino.im";
	static const char conversations[] = "http://conversations.im";
	struct leg_target *t;

	(void)state;
	up();
	feed(p("", "bob@h/x", "alice@c.h", node_and(dino, "d")));
	feed(p("", "bob@h/y", "alice@c.h", node_and(conversations, "c")));
	feed(p("", "bob@h/z", "alice@c.h", ""));
	feed(p("", "carol@h/x", "alice@c.h", node_and(dino, "d")));
	gateway_learn_bundles(g, "bob@h/x", true, env.arena);
	gateway_learn_bundles(g, "bob@h/y", false, env.arena);
	gateway_learn_bundles(g, "bob@h/unseen", true, env.arena);
	gateway_learn_bundles(g, "nobody@h/x", true, env.arena);
	assert_true(bundles("bob@h/x"));
	assert_false(bundles("bob@h/y"));
	assert_false(bundles("bob@h/z"));
	assert_int_equal(gateway_targets(g, env.arena, "carol@h", &t), 1);
	assert_false(t->bundles);
	/* Another device, the same client; and he comes back. */
	feed(p("unavailable", "bob@h/x", "alice@c.h", ""));
	feed(p("", "bob@h/w", "alice@c.h", node_and(dino, "d")));
	assert_true(bundles("bob@h/w"));
	/* The last answer counts; another release is looked up anew. */
	gateway_learn_bundles(g, "bob@h/w", false, env.arena);
	assert_false(bundles("bob@h/w"));
	feed(p("", "bob@h/y", "alice@c.h", node_and(conversations, "c2")));
	assert_true(bundles("bob@h/y"));
}

/* The first that was learned goes first. */
static void test_bundles_limit(void **state)
{
	char ver[32];
	int i;

	(void)state;
	up();
	for (i = 0; i <= GATEWAY_BUNDLES_MAX; i++) {
		snprintf(ver, sizeof(ver), "v%d", i);
		feed(p("", "bob@h/x", "alice@c.h",
		       node_and("https://x.org", ver)));
		gateway_learn_bundles(g, "bob@h/x", true, env.arena);
		arena_reset(env.arena);
	}
	gateway_check(g);
	assert_true(bundles("bob@h/x"));
	feed(p("", "bob@h/x", "alice@c.h", node_and("https://x.org", "v1")));
	assert_true(bundles("bob@h/x"));
	feed(p("", "bob@h/x", "alice@c.h", node_and("https://x.org", "v0")));
	assert_false(bundles("bob@h/x"));
}

/* --- the mirror ---------------------------------------------------------- */

static unsigned targets(const char *bare, char *text)
{
	struct leg_target *t;
	unsigned n = gateway_targets(g, env.arena, bare, &t);

	*text = '\0';
	for (unsigned i = 0; i < n; i++)
		sprintf(text + strlen(text), "%s%s%s%s;", t[i].jid,
			t[i].plain ? " plain" : "",
			t[i].by_full ? " full" : "",
			t[i].bundles ? " bundles" : "");
	return n;
}

static void test_active(void **state)
{
	static const struct {
		const char *children;
		bool active, dnd, read;
		unsigned targets;
	} t[] = {
		{ "", true, false, true, 1 },
		{ "<show>chat</show>", true, false, true, 1 },
		{ "<show>away</show>", false, false, true, 1 },
		{ "<show>xa</show>", false, false, true, 1 },
		{ "<show>dnd</show>", false, true, true, 1 },
		{ "<priority>-1</priority>", false, false, false, 0 },
		{ "<priority>-1</priority><show>dnd</show>", false, true,
		  false, 0 },
		{ "<priority>5</priority><show>bogus</show>", true, false,
		  true, 1 },
	};
	char text[256];
	bool dnd;

	(void)state;
	two_friends();
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		feed(p("", "bob@h/x", "c.h", t[i].children));
		assert_int_equal(gateway_active(g, "bob@h", env.wall, &dnd),
				 t[i].active);
		assert_int_equal(dnd, t[i].dnd);
		assert_int_equal(gateway_can_read(g, "bob@h"), t[i].read);
		assert_int_equal(targets("bob@h", text), t[i].targets);
	}
	/* One active device is enough; the others are rung, too. */
	feed(p("", "bob@h/x", "c.h", "<show>dnd</show>"));
	feed(p("", "bob@h/y", "c.h", ""));
	assert_true(gateway_active(g, "bob@h", env.wall, &dnd));
	assert_false(dnd);
	targets("bob@h", text);
	assert_string_equal(text, "bob@h/x;bob@h/y;");
	assert_false(gateway_active(g, "nobody@h", env.wall, &dnd));
	assert_false(dnd);
}

/* A device that was seen, but could not be rung, is back as a new one is. */
static void test_ringable(void **state)
{
	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", "<priority>-1</priority>"));
	feed(p("", "bob@h/x", "c.h", "<priority>0</priority>"));
	assert_non_null(strstr(out, "BACK bob@h/x\n"));
	gives(p("", "bob@h/x", "c.h", "<priority>5</priority>"), "");
}

/* At first login: to the contact, then subscribed, then again with delay. */
static void test_first_login(void **state)
{
	(void)state;
	up();
	feed(p("", "alice@h/x", "bob@c.h", ""));
	assert_non_null(strstr(out, "BACK alice@h/x\nREADY alice@h\n"));
	assert_non_null(strstr(out, "ASK <iq type='get'"));
	assert_non_null(strstr(out, "from='bob@c.h/call' to='alice@h/x'"));
	assert_true(gateway_active(g, "alice@h", env.wall, NULL));
	feed(p("subscribe", "alice@h", "c.h", ""));
	feed(p("subscribed", "alice@h", "c.h", ""));
	gives(p("", "alice@h/x", "c.h", "<delay xmlns='urn:xmpp:delay' "
		"stamp='2026-11-21T06:00:00Z'/>"), "");
	/* From now on the service alone counts. */
	gives(p("", "alice@h/x", "bob@c.h", "<show>dnd</show>"), "");
	gives(p("unavailable", "alice@h/x", "bob@c.h", ""), "");
	assert_true(gateway_active(g, "alice@h", env.wall, NULL));
	gives(p("unavailable", "alice@h/x", "c.h", ""), "GONE alice@h/x\n");
	assert_false(gateway_active(g, "alice@h", env.wall, NULL));
	assert_true(gateway_knows(g, "alice@h"));
}

/* Dino's users: no subscription at all. */
static void test_directed(void **state)
{
	(void)state;
	up();
	feed(p("", "dora@h/x", "bob@c.h", ""));
	assert_true(gateway_knows(g, "dora@h"));
	gives(p("unavailable", "dora@h/x", "carol@c.h", ""), "");
	gives(p("unavailable", "dora@h/x", "bob@c.h", ""), "GONE dora@h/x\n");
	assert_false(gateway_knows(g, "dora@h"));
	gives(p("", "dora@h", "bob@c.h", ""), "");     /* no resource */
	gives(p("", "eve@far/x", "bob@c.h", ""), "");  /* remote users off */
	gives(p("", "h", "c.h", ""), "");
	assert_false(gateway_knows(g, "eve@far"));
	site.remote_users = true;
	feed(p("", "eve@far/x", "bob@c.h", ""));
	assert_true(gateway_knows(g, "eve@far"));
}

/* Seen through a contact that is removed, still seen through another. */
static void test_lost_contact(void **state)
{
	static const struct gateway_contact rows[] = {
		{ "alice@h", "bob@c.h", true, true, false },
		{ "alice@h", "carol@c.h", true, true, false },
	};

	(void)state;
	gateway_restore_contact(g, &rows[0]);
	gateway_restore_contact(g, &rows[1]);
	up();
	assert_string_equal(out, "P probe bob@c.h > alice@h\n");
	feed(p("", "alice@h/x", "bob@c.h", ""));
	gives(p("unsubscribed", "alice@h", "bob@c.h", ""),
	      "PUT alice@h bob@c.h t\n"
	      "GONE alice@h/x\n"
	      "P probe carol@c.h > alice@h\n");
	gives(p("unavailable", "alice@h/x", "bob@c.h", ""), "");
	gives(p("", "alice@h/x", "carol@c.h", "<show>away</show>"),
	      "ASK <iq type='get' id='gw-18bcfe56800-2' "
	      "from='carol@c.h/call' to='alice@h/x'><query "
	      "xmlns='http://jabber.org/protocol/disco#info'/></iq>\n"
	      "BACK alice@h/x\n"
	      "READY alice@h\n");
}

static void test_idle(void **state)
{
	(void)state;
	site.idle_limit = 60000;
	two_friends();
	/* 2023-11-14T22:13:20Z is env.wall */
	feed(p("", "bob@h/x", "c.h", "<idle xmlns='urn:xmpp:idle:1' "
	       "since='2023-11-14T22:12:50Z'/>"));
	assert_non_null(strstr(out, "P bob@c.h/call > alice@h +c\n"));
	assert_true(gateway_active(g, "bob@h", env.wall, NULL));
	assert_int_equal(gateway_deadline(g), env.now + 10000); /* grace */
	tick_to(env.now + 10000);
	assert_int_equal(gateway_deadline(g), 1000 + 30001);
	tick_to(1000 + 30001);
	assert_string_equal(out, "P unavailable bob@c.h/call > alice@h\n");
	assert_false(gateway_active(g, "bob@h", env.wall, NULL));
	assert_true(gateway_deadline(g) > env.now);
	/* Not idle any more. */
	gives(p("", "bob@h/x", "c.h", ""), "P bob@c.h/call > alice@h +c\n");
}

static void test_lang(void **state)
{
	(void)state;
	two_friends();
	assert_null(gateway_lang(g, "bob@h"));
	feed("<presence from='bob@h/x' to='c.h' xml:lang='de-AT'/>");
	assert_string_equal(gateway_lang(g, "bob@h"), "de-AT");
	feed("<presence from='bob@h/x' to='c.h'/>");
	feed("<presence from='bob@h/x' to='c.h' xml:lang='much too long to "
	     "be the name of any language'/>");
	assert_string_equal(gateway_lang(g, "bob@h"), "de-AT");
	assert_null(gateway_lang(g, "nobody@h"));
}

/* --- features ------------------------------------------------------------ */

#define CAPS_DINO "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' " \
	"node='https://dino.im' ver='%s'/>"

#define Q "<query xmlns='http://jabber.org/protocol/disco#info'>" \
	"<identity category='client' type='pc' name='Dino'/>"
#define F(var) "<feature var='" var "'/>"
#define CALLS F("urn:xmpp:jingle:apps:rtp:1") \
	F("urn:xmpp:jingle:transports:ice-udp:1") F("urn:xmpp:jingle:1")

/* Answers the last question as `from`. */
static void answer(const char *from, const char *query)
{
	char id[64], text[4096];
	const char *at = strstr(out, "id='");

	assert_non_null(at);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 4, "'"), at + 4);
	snprintf(text, sizeof(text), "<iq type='%s' id='%s' from='%s' "
		 "to='c.h'>%s</iq>", *query ? "result" : "error", id, from,
		 query);
	feed(text);
}

static const char *caps(const char *query)
{
	static char text[256];
	char ver[DISCO_VER_SIZE];

	ver_of(query, ver);
	snprintf(text, sizeof(text), CAPS_DINO, ver);
	return text;
}

#define PLAIN Q CALLS "</query>"
#define FULL Q CALLS F("urn:xmpp:jingle-message:0") \
	F("urn:xmpp:carbons:2") "</query>"
#define NO_CARBONS Q CALLS F("urn:xmpp:jingle-message:0") "</query>"

static void test_features(void **state)
{
	char text[512];

	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", caps(PLAIN)));
	assert_non_null(strstr(out, "from='c.h' to='bob@h/x'"));
	targets("bob@h", text);
	assert_string_equal(text, "bob@h/x;");
	/* The same hash is asked once. */
	answer("mallory@h/x", PLAIN);
	assert_string_equal(out, "");
	feed(p("", "bob@h/x", "c.h", caps(PLAIN)));
	assert_string_equal(out, "");
	feed(p("", "bob@h/y", "c.h", caps(PLAIN)));
	assert_string_equal(out, "BACK bob@h/y\n");
	targets("bob@h", text);
	assert_string_equal(text, "bob@h/x;bob@h/y;");
	feed("<iq type='result' id='gw-18bcfe56800-1' from='bob@h/x' "
	     "to='c.h'>" PLAIN "</iq>");
	targets("bob@h", text);
	assert_string_equal(text, "bob@h/x plain;bob@h/y plain;");
	/* Another hash: Jingle messages, with and without carbons. */
	feed(p("", "bob@h/x", "c.h", caps(FULL)));
	answer("bob@h/x", FULL);
	feed(p("", "bob@h/z", "c.h", caps(NO_CARBONS)));
	answer("bob@h/z", NO_CARBONS);
	feed(p("", "bob@h/y", "c.h", "<priority>1</priority>"));
	targets("bob@h", text);
	assert_string_equal(text, "bob@h/x;bob@h/y plain;bob@h/z full;");
	/* Remembered for others. */
	gives(p("", "alice@h/x", "c.h", caps(PLAIN)),
	      "BACK alice@h/x\n"
	      "READY alice@h\n"
	      "P alice@c.h/call > bob@h +c\n");
	targets("alice@h", text);
	assert_string_equal(text, "alice@h/x plain;");
}

/* A wrong answer counts for its sender alone; the next is asked. */
static void test_features_lie(void **state)
{
	char text[512];

	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", caps(PLAIN)));
	assert_true(strlen(out) < sizeof(text));
	strcpy(text, out);
	feed(p("", "alice@h/x", "c.h", caps(PLAIN)));
	assert_null(strstr(out, "ASK"));
	strcpy(out, text);
	answer("bob@h/x", FULL);
	assert_non_null(strstr(out, "to='alice@h/x'"));
	targets("bob@h", text);
	assert_string_equal(text, "bob@h/x;");
	answer("alice@h/x", "");
	assert_string_equal(out, "");
	/* Nobody knew: the next one is asked again, until time runs out. */
	feed(p("", "bob@h/y", "c.h", caps(PLAIN)));
	assert_non_null(strstr(out, "to='bob@h/y'"));
	feed(p("", "bob@h/z", "c.h", caps(PLAIN)));
	assert_null(strstr(out, "ASK"));
	tick_to(env.now + 10000);
	tick_to(env.now + 25000);
	assert_non_null(strstr(out, "to='bob@h/z'"));
	gives(p("unavailable", "bob@h/z", "c.h", ""), "GONE bob@h/z\n");
	assert_int_equal(gateway_deadline(g), INT64_MAX);
}

static void count_device(const struct gateway_device *d, void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s %s %d %d%d%d%d\n", d->jid, d->show,
		d->priority, d->known, d->plain, d->jmi, d->carbons);
}

#define V(text) "<value>" text "</value>"
#define FORM(type, inside) "<x xmlns='jabber:x:data'><field var='FORM_TYPE' " \
	"type='hidden'>" V(type) "</field>" inside "</x>"

/* Another answer of the same hash, of one who claims a client's caps: nothing
 * of what that client can do is taken from others who have it. */
static void test_features_same_hash(void **state)
{
	static const char *const rows[] = {
		/* The last features as a form (sorted, as are those). */
		Q F("urn:xmpp:carbons:2") FORM("urn:xmpp:jingle-message:0",
		"<field var='urn:xmpp:jingle:1'>" V("urn:xmpp:jingle:apps:rtp:1")
		V("urn:xmpp:jingle:transports:ice-udp:1") "</field>")
		"</query>",
		Q F("urn:xmpp:carbons:2") F("urn:xmpp:jingle-message:0")
		F("urn:xmpp:jingle:1") FORM("urn:xmpp:jingle:apps:rtp:1",
		"<field var='urn:xmpp:jingle:transports:ice-udp:1'/>")
		"</query>",
		/* Two features as one. */
		Q F("urn:xmpp:carbons:2&lt;urn:xmpp:jingle-message:0")
		F("urn:xmpp:jingle:1&lt;urn:xmpp:jingle:apps:rtp:1&lt;"
		  "urn:xmpp:jingle:transports:ice-udp:1") "</query>",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512] = "";

		two_friends();
		feed(p("", "bob@h/x", "c.h", caps(FULL)));
		answer("bob@h/x", rows[i]);
		feed(p("", "alice@h/x", "c.h", caps(FULL)));
		if (strstr(out, "<iq"))
			answer("alice@h/x", FULL);
		gateway_describe(g, "alice@h", count_device, text);
		assert_string_equal(text, "alice@h/x online 0 1011\n");
		tear_down(state);
		set_up(state);
	}
}

static void test_describe(void **state)
{
	char text[512] = "";

	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", "<show>dnd</show>"));
	feed(p("", "bob@h/y", "c.h", "<priority>-3</priority>"));
	answer("bob@h/y", FULL);
	gateway_describe(g, "bob@h", count_device, text);
	assert_string_equal(text, "bob@h/x dnd 0 0000\n"
			    "bob@h/y online -3 1011\n");
	gateway_describe(g, "nobody@h", count_device, text);
}

/* --- what contacts show -------------------------------------------------- */

static void test_show(void **state)
{
	(void)state;
	two_friends();
	assert_string_equal(out, "P c.h > alice@h +c\nP probe c.h > alice@h\n"
			    "P c.h > bob@h +c\nP probe c.h > bob@h\n");
	feed(p("", "bob@h/x", "c.h", ""));
	answer("bob@h/x", "");
	gives(p("", "bob@h/x", "c.h", "<show>chat</show>"), "");
	gives(p("probe", "alice@h/x", "bob@c.h", ""),
	      "P bob@c.h/call > alice@h/x +c\n");
	gives(p("", "bob@h/x", "c.h", "<show>away</show>"),
	      "P unavailable bob@c.h/call > alice@h\n");
	gives(p("", "bob@h/x", "c.h", ""), "P bob@c.h/call > alice@h +c\n");
	/* Bob takes alice off: she sees him no more. */
	gives(p("unsubscribe", "bob@h", "alice@c.h", ""),
	      "P unsubscribed alice@c.h > bob@h\n"
	      "P unavailable bob@c.h/call > alice@h\n"
	      "PUT bob@h alice@c.h f\n");
	assert_false(gateway_has_contact(g, "bob@h", "alice@h"));
	gives(p("subscribe", "bob@h", "alice@c.h", ""),
	      "PUT bob@h alice@c.h tf\n"
	      "P subscribed alice@c.h > bob@h\n"
	      "P unavailable alice@c.h/call > bob@h\n"
	      "P bob@c.h/call > alice@h +c\n");
	assert_true(gateway_has_contact(g, "bob@h", "alice@h"));
	/* Somebody bob has not added sees nothing. */
	feed(p("subscribe", "carol@h", "bob@c.h", ""));
	assert_non_null(strstr(out, "P unavailable bob@c.h/call > carol@h\n"));
}

/* Who has left the service is seen by nobody, though he is online. */
static void test_removed(void **state)
{
	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	feed(p("", "alice@h/x", "c.h", ""));
	assert_non_null(strstr(out, "P alice@c.h/call > bob@h +c\n"));
	feed("<iq type='set' id='1' from='alice@h/x' to='c.h'><query "
	     "xmlns='jabber:iq:register'><remove/></query></iq>");
	assert_non_null(strstr(out, "P unavailable alice@c.h/call > bob@h\n"));
}

static void switch_to(bool on)
{
	site.enabled = on;
	arena_reset(env.arena);
	gateway_enabled(g, &env);
	print_actions();
}

static void test_switch(void **state)
{
	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	feed(p("", "alice@h/x", "c.h", ""));
	switch_to(false);
	assert_string_equal(out, "P unavailable alice@c.h/call > bob@h\n"
			    "P unavailable bob@c.h/call > alice@h\n");
	switch_to(true);
	assert_string_equal(out, "P alice@c.h/call > bob@h +c\n"
			    "P bob@c.h/call > alice@h +c\n");
	arena_reset(env.arena);
	gateway_hold(g, "alice@h", "bob@h", true, &env);
	gateway_hold(g, "alice@h", "bob@h", true, &env);
	switch_to(false);
	assert_string_equal(out, "P unavailable alice@c.h/call > bob@h\n");
	gives(p("unavailable", "bob@h/x", "c.h", ""), "GONE bob@h/x\n");
	gives(p("probe", "alice@h/x", "bob@c.h", ""),
	      "P bob@c.h/call > alice@h/x +c\n");
	arena_reset(env.arena);
	gateway_hold(g, "alice@h", "bob@h", false, &env);
	print_actions();
	assert_string_equal(out, "P unavailable bob@c.h/call > alice@h\n");
	/* A hold shows nothing that was not shown. */
	arena_reset(env.arena);
	gateway_hold(g, "alice@h", "bob@h", true, &env);
	gateway_hold(g, "bob@h", "nobody@h", true, &env);
	print_actions();
	assert_string_equal(out, "");
}

/* Users of a host that is off neither are seen nor see others. */
static void test_switch_host(void **state)
{
	static const struct gateway_contact rows[] = {
		{ "alice@h", "c.h", true, true, false },
		{ "dave@o", "c.h", true, true, false },
		{ "alice@h", "dave\\40o@c.h", true, true, false },
		{ "dave@o", "alice@c.h", true, true, false },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(gateway_restore_contact(g, &rows[i]), 0);
	up();
	feed(p("", "alice@h/x", "c.h", ""));
	feed(p("", "dave@o/x", "c.h", ""));
	gateway_set_host(g, "h", false);
	switch_to(true);
	assert_string_equal(out, "P unavailable alice@c.h/call > dave@o\n"
			    "P unavailable dave\\40o@c.h/call > alice@h\n");
}

/* A call that was restored: whether its address was shown is not stored, and
 * it never goes unavailable in the call, though its user is not active. */
static void test_switch_restored(void **state)
{
	(void)state;
	two_friends();
	gateway_down(g, &env);
	gateway_hold(g, "alice@h", "bob@h", true, &env);
	arena_reset(env.arena);
	up();
	feed(p("", "bob@h/x", "c.h", "<show>away</show>"));
	tick_to(env.now + GATEWAY_GRACE_MS);
	assert_null(strstr(out, "P unavailable bob@c.h/call > alice@h\n"));
	arena_reset(env.arena);
	gateway_hold(g, "alice@h", "bob@h", false, &env);
	print_actions();
	assert_string_equal(out, "P unavailable bob@c.h/call > alice@h\n");
}

/* --- the link ------------------------------------------------------------ */

static void test_link(void **state)
{
	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	feed(p("", "bob@h/y", "c.h", ""));
	feed(p("", "alice@h/x", "c.h", ""));
	gateway_hold(g, "bob@h", "alice@h", true, &env);
	arena_reset(env.arena);
	gateway_down(g, &env);
	print_actions();
	assert_string_equal(out, "");
	assert_false(gateway_active(g, "bob@h", env.wall, NULL));
	assert_false(gateway_can_read(g, "bob@h"));
	assert_int_equal(gateway_deadline(g), INT64_MAX);
	env.now += 60000;
	up();
	assert_string_equal(out, "P c.h > alice@h +c\nP probe c.h > alice@h\n"
			    "P c.h > bob@h +c\n"
			    "P alice@c.h/call > bob@h +c\n"
			    "P probe c.h > bob@h\n");
	feed(p("", "bob@h/x", "c.h", ""));
	assert_non_null(strstr(out, "BACK bob@h/x\n"));
	assert_non_null(strstr(out, "READY bob@h\n"));
	assert_non_null(strstr(out, "P bob@c.h/call > alice@h +c\n"));
	assert_int_equal(gateway_deadline(g), env.now + GATEWAY_GRACE_MS);
	tick_to(env.now + GATEWAY_GRACE_MS);
	assert_string_equal(out, "GONE alice@h/x\nGONE bob@h/y\n");
	arena_reset(env.arena);
	gateway_hold(g, "bob@h", "alice@h", false, &env);
	print_actions();
	assert_string_equal(out, "P unavailable alice@c.h/call > bob@h\n");
	arena_reset(env.arena);
	gateway_stop(g, &env);
	print_actions();
	assert_string_equal(out, "P unavailable c.h > alice@h\n"
			    "P unavailable bob@c.h/call > alice@h\n"
			    "P unavailable c.h > bob@h\n");
}

/* A call goes on without us: its addresses stay as they are shown. */
static void test_stop_in_call(void **state)
{
	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	feed(p("", "alice@h/x", "c.h", ""));
	gateway_hold(g, "alice@h", "bob@h", true, &env);
	gateway_hold(g, "bob@h", "alice@h", true, &env);
	arena_reset(env.arena);
	gateway_stop(g, &env);
	print_actions();
	assert_string_equal(out, "P unavailable c.h > alice@h\n"
			    "P unavailable c.h > bob@h\n");
}

/* Who speaks is not gone when the grace ends, but counts as before his presence
 * only when that comes. */
static void test_heard(void **state)
{
	struct jid x;

	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	feed(p("", "bob@h/y", "c.h", ""));
	assert_int_equal(jid_parse(env.arena, "bob@h/x", &x), 0);
	gateway_heard(g, &x);          /* before the break: is no word */
	gateway_down(g, &env);
	up();
	assert_int_equal(jid_parse(env.arena, "bob@h/x", &x), 0);
	gateway_heard(g, &x);
	assert_false(gateway_can_read(g, "bob@h"));
	tick_to(env.now + GATEWAY_GRACE_MS);
	assert_null(strstr(out, "GONE bob@h/x\n"));
	assert_non_null(strstr(out, "GONE bob@h/y\n"));
	assert_false(gateway_can_read(g, "bob@h"));
	gives(p("unavailable", "bob@h/x", "c.h", ""), "");
}

/* Who has spoken after one break has said nothing of the next. */
static void test_heard_once(void **state)
{
	struct jid x;

	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	gateway_down(g, &env);
	up();
	assert_int_equal(jid_parse(env.arena, "bob@h/x", &x), 0);
	gateway_heard(g, &x);
	feed(p("", "bob@h/x", "c.h", ""));
	tick_to(env.now + GATEWAY_GRACE_MS);
	assert_null(strstr(out, "GONE bob@h/x\n"));
	gateway_down(g, &env);
	up();
	tick_to(env.now + GATEWAY_GRACE_MS);
	assert_non_null(strstr(out, "GONE bob@h/x\n"));
}

/* The server says that he is offline: no need to wait. */
static void test_probe_answer(void **state)
{
	(void)state;
	two_friends();
	feed(p("", "bob@h/x", "c.h", ""));
	gateway_down(g, &env);
	up();
	gives(p("unavailable", "bob@h", "c.h", ""), "GONE bob@h/x\n");
	tick_to(env.now + GATEWAY_GRACE_MS);
	assert_string_equal(out, "P unavailable bob@c.h/call > alice@h\n"
			    "P unavailable alice@c.h/call > bob@h\n");
}

/* Large numbers go out over several ticks. */
static void test_sweep(void **state)
{
	unsigned ticks = 0, n = 0;
	char bare[64];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct gateway_contact row = { bare, "c.h", true, true, false };

		snprintf(bare, sizeof(bare), "u%d@h", i);
		assert_int_equal(gateway_restore_contact(g, &row), 0);
	}
	gateway_up(g, &env);
	for (; ticks < 100; ticks++) {
		for (struct gateway_action *a = env.first; a; a = a->next)
			n++;
		env.first = env.last = NULL;
		arena_reset(env.arena);
		if (gateway_deadline(g) > env.now)
			break;
		gateway_tick(g, &env);
	}
	assert_int_equal(n, 6000);
	assert_in_range(ticks, 5, 20);
	gateway_check(g);
}

static void test_restore(void **state)
{
	static const struct gateway_contact bad[] = {
		{ "alice@h", "bob@h", true, false, false },
		{ "alice@h/x", "bob@c.h", true, false, false },
		{ "h", "c.h", true, false, false },
		{ "", "c.h", true, false, false },
		{ "alice@h", "bob\\40h@c.h", true, false, false },
		{ "bob@c.h", "c.h", true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(gateway_restore_contact(g, &bad[i]), EBADMSG);
	assert_false(gateway_knows(g, "alice@h"));
	gateway_check(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_service), T(test_contact), T(test_limits),
		T(test_bundles_by_node), T(test_bundles_learned),
		T(test_bundles_limit),
		T(test_active), T(test_ringable), T(test_first_login),
		T(test_directed), T(test_lost_contact), T(test_idle),
		T(test_lang),
		T(test_features), T(test_features_lie),
		T(test_features_same_hash), T(test_describe),
		T(test_show), T(test_removed), T(test_switch),
		T(test_switch_host), T(test_switch_restored),
		T(test_link), T(test_stop_in_call), T(test_heard),
		T(test_heard_once), T(test_probe_answer), T(test_sweep),
		T(test_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
