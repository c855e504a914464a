/* test_gateway_answer.c: what our addresses answer, and chat through them. */
#include "tests/unit/gateway_test.h"

/* --- iq ------------------------------------------------------------------ */

static void iq(const char *type, const char *to, const char *child)
{
	char text[1024];

	snprintf(text, sizeof(text), "<iq type='%s' id='1' from='alice@h/x' "
		 "to='%s'>%s</iq>", type, to, child);
	feed(text);
}

#define R(to) "SEND <iq type='result' id='1' from='" to \
	"' to='alice@h/x'"

static void test_disco(void **state)
{
	const char *info = "<query xmlns='http://jabber.org/protocol/"
			   "disco#info'/>";
	char text[512], query[4096], ver[DISCO_VER_SIZE];
	const char *q;

	(void)state;
	up();
	iq("get", "c.h", info);
	assert_non_null(strstr(out, R("c.h")));
	assert_non_null(strstr(out, "<identity category='gateway' "
			       "type='xmpp' name='Private Calls'/>"));
	iq("get", "nobody@c.h", info);
	assert_non_null(strstr(out, R("nobody@c.h")));
	assert_non_null(strstr(out, "category='account'"));
	iq("get", "nobody@c.h/call", info);
	assert_non_null(strstr(out, "type='phone'"));
	assert_non_null(strstr(out, "'urn:xmpp:jingle-message:0'"));
	/* The hash in our presence is that of this answer. */
	q = strstr(out, "<query");
	snprintf(query, sizeof(query), "%.*s",
		 (int)(strstr(out, "</iq>") - q), q);
	ver_of(query, ver);
	snprintf(text, sizeof(text), "<query xmlns='http://jabber.org/"
		 "protocol/disco#info' node='urn:privatecall:gateway#%s'/>",
		 ver);
	iq("get", "bob@c.h/call", text);
	assert_non_null(strstr(out, R("bob@c.h/call")));
	assert_non_null(strstr(out, ver));
	iq("get", "c.h", text);
	assert_non_null(strstr(out, "item-not-found"));
	iq("get", "c.h", "<query xmlns='http://jabber.org/protocol/"
	   "disco#items'/>");
	assert_string_equal(out, R("c.h") "><query xmlns='http://jabber.org/"
			    "protocol/disco#items'/></iq>\n");
}

static void test_iq(void **state)
{
	static const struct {
		const char *type, *to, *child, *want;
	} t[] = {
		{ "get", "c.h", "<ping xmlns='urn:xmpp:ping'/>", R("c.h") },
		{ "get", "bob@c.h", "<ping xmlns='urn:xmpp:ping'/>",
		  R("bob@c.h") },
		{ "get", "bob@c.h/call",
		  "<query xmlns='jabber:iq:version'/>", "privatecalld" },
		{ "get", "bob@c.h", "<vCard xmlns='vcard-temp'/>",
		  "<FN>bob</FN>" },
		{ "get", "c.h", "<vCard xmlns='vcard-temp'/>",
		  "<FN>Private Calls</FN>" },
		{ "get", "j\\40o@c.h", "<vCard xmlns='vcard-temp'/>",
		  "<FN>j</FN><JABBERID>j@o</JABBERID>" },
		{ "set", "c.h", "<vCard xmlns='vcard-temp'/>",
		  "service-unavailable" },
		{ "get", "bob@c.h/other", "<ping xmlns='urn:xmpp:ping'/>",
		  "service-unavailable" },
		{ "get", "c.h/x", "<ping xmlns='urn:xmpp:ping'/>",
		  "service-unavailable" },
		{ "get", "bob\\40h@c.h", "<ping xmlns='urn:xmpp:ping'/>",
		  "service-unavailable" },
		{ "get", "c.h", "", "service-unavailable" },
		{ "set", "c.h", "<x xmlns='y'/>", "service-unavailable" },
		{ "set", "bob@c.h", "<query xmlns='jabber:iq:register'/>",
		  "service-unavailable" },
		{ "get", "c.h", "<query xmlns='jabber:iq:gateway'/>",
		  "<prompt/>" },
		{ "set", "c.h", "<query xmlns='jabber:iq:gateway'>"
		  "<prompt> Bob@o\n</prompt></query>",
		  "<jid>bob\\40o@c.h</jid>" },
		{ "set", "c.h", "<query xmlns='jabber:iq:gateway'>"
		  "<prompt>bob</prompt></query>", "<jid>bob@c.h</jid>" },
		{ "set", "c.h", "<query xmlns='jabber:iq:gateway'>"
		  "<prompt>@</prompt></query>", "not-acceptable" },
		{ "set", "c.h", "<query xmlns='jabber:iq:gateway'/>",
		  "not-acceptable" },
		{ "get", "c.h", "<query xmlns='jabber:iq:register'/>",
		  "<instructions>" },
		{ "set", "c.h", "<query xmlns='jabber:iq:register'><remove/>"
		  "<username/></query>", "bad-request" },
	};

	(void)state;
	up();
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		iq(t[i].type, t[i].to, t[i].child);
		if (!strstr(out, t[i].want))
			fail_msg("%s %s gives %s", t[i].to, t[i].child, out);
		assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
	}
	gives("<iq type='get' id='1' from='bob@c.h' to='c.h'>"
	      "<ping xmlns='urn:xmpp:ping'/></iq>", "");
	assert_false(gateway_knows(g, "alice@h"));
}

static void test_register(void **state)
{
	(void)state;
	up();
	iq("set", "c.h", "<query xmlns='jabber:iq:register'/>");
	assert_string_equal(out, R("c.h") "/>\nPUT alice@h c.h a\n"
			    "P subscribe c.h > alice@h\n");
	assert_true(gateway_knows(g, "alice@h"));
	iq("get", "c.h", "<query xmlns='jabber:iq:register'/>");
	assert_non_null(strstr(out, "<registered/>"));
	feed(p("subscribed", "alice@h", "c.h", ""));
	feed(p("subscribe", "alice@h", "bob@c.h", ""));
	feed(p("", "alice@h/x", "c.h", ""));
	iq("set", "c.h", "<query xmlns='jabber:iq:register'><remove/>"
	   "</query>");
	assert_string_equal(out, R("c.h") "/>\n"
			    "P unavailable c.h > alice@h\n"
			    "P unsubscribe c.h > alice@h\n"
			    "DEL alice@h c.h \n"
			    "P unsubscribe bob@c.h > alice@h\n"
			    "P unsubscribed bob@c.h > alice@h\n"
			    "DEL alice@h bob@c.h \n"
			    "GONE alice@h/x\n");
	assert_false(gateway_knows(g, "alice@h"));
	gives("<iq type='set' id='1' from='eve@far/x' to='c.h'>"
	      "<query xmlns='jabber:iq:register'/></iq>",
	      "SEND <iq type='error' id='1' from='c.h' to='eve@far/x'>"
	      "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:"
	      "xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:"
	      "xmpp-stanzas' xml:lang='en'>Calls to other servers are off."
	      "</text></error></iq>\n");
}

/* --- messages ------------------------------------------------------------ */

static void test_chat(void **state)
{
	(void)state;
	up();
	gives("<message type='chat' id='m1' from='alice@h/x' to='bob@c.h/call' "
	      "xml:lang='de'><body>hi</body><active xmlns='http://jabber.org/"
	      "protocol/chatstates'/><stanza-id xmlns='urn:xmpp:sid:0' id='1' "
	      "by='h'/><origin-id xmlns='urn:xmpp:sid:0' id='m1'/><received "
	      "xmlns='urn:xmpp:carbons:2'/><forwarded "
	      "xmlns='urn:xmpp:forward:0'/><propose id='s' "
	      "xmlns='urn:xmpp:jingle-message:1'/></message>",
	      "SEND <message type='chat' id='m1' from='alice@c.h' "
	      "to='bob@h' xml:lang='de'><body>hi</body><active "
	      "xmlns='http://jabber.org/protocol/chatstates'/><origin-id "
	      "xmlns='urn:xmpp:sid:0' id='m1'/></message>\n");
	/* The error finds its way back, once. */
	gives("<message type='error' id='m1' from='bob@h' to='carol@c.h'/>",
	      "");
	gives("<message type='error' id='m1' from='carol@h' to='alice@c.h'/>",
	      "");
	gives("<message type='error' id='m1' from='bob@h/x' to='alice@c.h'>"
	      "<body>hi</body><error type='cancel' by='h'><gone "
	      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	      "</message>",
	      "SEND <message type='error' id='m1' from='bob@c.h' "
	      "to='alice@h/x'><error type='cancel'><gone xmlns='urn:ietf:"
	      "params:xml:ns:xmpp-stanzas'/></error></message>\n");
	gives("<message type='error' id='m1' from='bob@h/x' to='alice@c.h'/>",
	      "");
	gives("<message from='alice@h/x' to='bob@c.h'><store "
	      "xmlns='urn:xmpp:hints'/><thread>1</thread></message>", "");
	gives("<message type='headline' from='alice@h/x' to='bob@c.h'>"
	      "<body>x</body></message>", "");
	gives("<message from='c.h' to='bob@c.h'><body>x</body></message>", "");
}

static void test_chat_refused(void **state)
{
	(void)state;
	up();
	allowed = false;
	feed("<message type='chat' id='m1' from='alice@h/x' to='bob@c.h'>"
	     "<body>hi</body></message>");
	assert_non_null(strstr(out, "policy-violation"));
	assert_non_null(strstr(out, "Messages are turned off."));
	gives("<message type='chat' id='m1' from='alice@h/x' to='bob@c.h'>"
	      "<received xmlns='urn:xmpp:receipts' id='1'/></message>", "");
	feed("<message from='alice@h/x' to='c.h'><body>hi</body></message>");
	assert_non_null(strstr(out, "feature-not-implemented"));
	gives("<message from='alice@h/x' to='c.h'><x xmlns='y'/></message>",
	      "");
	gives("<message type='error' from='alice@h/x' to='c.h'><body>hi</body>"
	      "</message>", "");
	feed("<message from='alice@h/x' to='bob\\40h@c.h'><body>hi</body>"
	     "</message>");
	assert_non_null(strstr(out, "item-not-found"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_disco), T(test_iq), T(test_register), T(test_chat),
		T(test_chat_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
