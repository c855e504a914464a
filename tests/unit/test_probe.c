/* test_probe.c: privatecall-probe without a server: its accounts, what it says
 * mends a refusal, and its phone, whose client (client.h) is here: what the
 * phone sends is kept as text, what comes is told to its handlers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/policy/cause.h"
#include "mod_privatecall/probe/accounts.h"
#include "mod_privatecall/probe/mend.h"
#include "mod_privatecall/probe/phone.h"

/* --- a client that is connected to nothing -------------------------------- */

struct client {
	struct client_handlers h;
	void *arg;
	char said[8192];           /* all of it, one stanza a line */
};
static struct client client;

struct client *client_open(struct clients *cs, const char *jid,
			   const char *password,
			   const struct client_handlers *h, void *arg)
{
	(void)cs;
	(void)password;
	memset(&client, 0, sizeof(client));
	client.h = *h;
	client.arg = arg;
	client.h.online_h(jid, arg);
	return &client;
}

void client_send(struct client *c, struct arena *a, const struct xml_elem *e)
{
	size_t used = strlen(client.said);
	const char *text = xml_write(a, e, NS_COMPONENT, NULL);

	(void)c;               /* NULL while it is opened */
	snprintf(client.said + used, sizeof(client.said) - used, "%s\n",
		 text ? text : "nothing: no memory");
}

void client_close(struct client *c)
{
	c->h.gone_h("closed", c->arg);
}

/* --- a phone ------------------------------------------------------------ */

#define TO " to='bob@h/x'"
#define CALLER "alice@h/privatecall"
#define FROM " from='" CALLER "'"
#define JMI " xmlns='urn:xmpp:jingle-message:0' id='c1'"
#define AUDIO "<description xmlns='urn:xmpp:jingle:apps:rtp:1' " \
	"media='audio'/>"
#define PROPOSE "<message type='chat'" FROM TO "><propose" JMI ">" AUDIO \
	"</propose></message>"
#define HEX4 "01:23:45:67:89:AB:CD:EF:"
#define PRINT HEX4 HEX4 HEX4 "01:23:45:67:89:AB:CD:EF"
#define CANDIDATE(ip, component, protocol) "<candidate component='" \
	component "' foundation='1' ip='" ip "' port='4000' priority='7' " \
	"protocol='" protocol "' type='host'/>"
#define OPUS "<description xmlns='urn:xmpp:jingle:apps:rtp:1' " \
	"media='audio'><payload-type id='111' name='opus'/></description>"
#define CONTENT "<content creator='initiator' name='0'>" OPUS \
	"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " \
	"ufrag='uf' pwd='pwdpwdpwdpwdpwdpwdpwdpwd'>" \
	"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' " \
	"setup='actpass'>" PRINT "</fingerprint>" \
	CANDIDATE("192.0.2.1", "1", "udp") CANDIDATE("192.0.2.2", "2", "udp") \
	CANDIDATE("192.0.2.3", "1", "tcp") CANDIDATE("x.local", "1", "udp") \
	"</transport></content>"
#define INITIATE(from, sid) "<iq type='set' id='i' from='" from "'" TO \
	"><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' " \
	"sid='" sid "'>" CONTENT "</jingle></iq>"

static struct phone phone;
static char events[256];

static void on_event(struct phone *p, enum phone_event ev, void *arg)
{
	static const char *const names[] = {
		"online", "registered", "seen", "proposed", "ringing",
		"proceed", "initiate", "accept", "candidates", "ended",
		"refused", "gone",
	};

	(void)p;
	(void)arg;
	strcat(strcat(events, names[ev]), " ");
}

static int open_phone(void **state)
{
	(void)state;
	memset(&phone, 0, sizeof(phone));
	events[0] = '\0';
	phone.event_h = on_event;
	assert_true(phone_open(&phone, NULL, "bob@h", "secret", "alice@h",
			       NULL));
	free(phone.full);
	phone.full = strdup("bob@h/x");
	return 0;
}

static int close_phone(void **state)
{
	(void)state;
	phone_close(&phone);
	phone_free(&phone);
	return 0;
}

static void comes(const char *text)
{
	struct arena *a = arena_new(0);
	struct xml_elem *e;

	client.said[0] = events[0] = '\0';
	assert_int_equal(xml_parse(a, text, strlen(text), NS_COMPONENT,
				   &xml_limits_default, &e), 0);
	client.h.stanza_h(e, a, client.arg);
	arena_free(a);
}

/* What it makes of it, and a part of what it answers; NULL: nothing. */
static void takes(const char *text, const char *want, const char *said)
{
	comes(text);
	assert_string_equal(events, want);
	if (said)
		assert_non_null(strstr(client.said, said));
	else
		assert_string_equal(client.said, "");
}

static void rings_once(void **state)
{
	(void)state;
	takes("<message type='chat' from='mallory@h/x'" TO "><propose" JMI ">"
	      AUDIO "</propose></message>", "", NULL);
	takes("<message type='chat'" FROM TO "><propose" JMI ">" AUDIO
	      "</propose><delay xmlns='urn:xmpp:delay' "
	      "stamp='2026-01-01T00:00:00Z'/></message>", "", NULL);
	takes(PROPOSE, "proposed ", NULL);
	assert_string_equal(phone.peer, CALLER);
	takes(PROPOSE, "", NULL);
	takes("<message type='chat'" FROM TO "><retract"
	      " xmlns='urn:xmpp:jingle-message:0' id='other'/></message>",
	      "", NULL);
	takes("<message type='chat'" FROM TO "><retract" JMI "><reason "
	      "xmlns='urn:xmpp:jingle:1'><cancel/><text>no more</text>"
	      "</reason></retract></message>", "ended ", NULL);
	assert_string_equal(phone.told.condition, "cancel");
	assert_string_equal(phone.told.text, "no more");
}

static void takes_an_offer(void **state)
{
	(void)state;
	takes(INITIATE(CALLER, "c1"), "", "item-not-found");
	comes(PROPOSE);
	takes(INITIATE("mallory@h/x", "c1"), "", "item-not-found");
	takes(INITIATE(CALLER, "c2"), "", "item-not-found");
	takes("<iq type='set' id='i'" FROM TO "><jingle "
	      "xmlns='urn:xmpp:jingle:1' action='session-initiate' "
	      "sid='c1'/></iq>", "", "bad-request");
	takes(INITIATE(CALLER, "c1"), "initiate ", "type='result'");
	assert_string_equal(phone.remote.ufrag, "uf");
	assert_int_equal(phone.remote.candidates, 1);
	assert_int_equal(phone.remote.candidate[0].addr.port, 4000);
	assert_int_equal(phone.remote.print.len, 32);
	assert_int_equal(phone.remote.print.setup, DTLS_ACTPASS);
	takes("<iq type='set' id='t'" FROM TO "><jingle "
	      "xmlns='urn:xmpp:jingle:1' action='session-terminate' "
	      "sid='c1'><reason><connectivity-error/></reason></jingle></iq>",
	      "ended ", "type='result'");
	assert_string_equal(phone.told.condition, "connectivity-error");
}

static void answers_questions(void **state)
{
	(void)state;
	takes("<iq type='get' id='d'" FROM TO "><query xmlns="
	      "'http://jabber.org/protocol/disco#info' node='n'/></iq>", "",
	      "urn:xmpp:jingle-message:0");
	takes("<iq type='get' id='p'" FROM TO "><ping xmlns='urn:xmpp:ping'/>"
	      "</iq>", "", "type='result'");
	takes("<iq type='get' id='v'" FROM TO "><query "
	      "xmlns='jabber:iq:version'/></iq>", "", "service-unavailable");
	takes("<iq type='set' id='s'" FROM TO "><x xmlns='y'/></iq>", "",
	      "service-unavailable");
	takes("<iq type='result' id='s'" FROM TO "/>", "", NULL);
	takes("<iq type='error' id='s'" FROM TO "/>", "", NULL);
}

static void hears_of_refusals(void **state)
{
	(void)state;
	takes("<message type='error' id='probe-propose'" FROM TO "><error "
	      "type='cancel'><service-unavailable xmlns="
	      "'urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
	      "refused ", NULL);
	assert_string_equal(phone.told.condition, "service-unavailable");
	takes("<message type='headline' from='calls.h'" TO "><body>Why"
	      "</body></message>", "", NULL);
	assert_string_equal(phone.notice.text, "Why");
	takes("<iq type='error' id='probe-offer'" FROM TO "/>", "refused ",
	      NULL);
	assert_string_equal(phone.told.condition, "undefined-condition");
}

#define HEADLINE(body) "<message type='headline' from='calls.h'" TO "><body>" \
	body "</body></message>"
#define E32 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"

/* It is printed: no peer writes lines of ours, or steers the terminal; and as
 * JSON, which half a character is none of. */
static void prints_what_it_is_told(void **state)
{
	(void)state;
	comes(HEADLINE("a&#10;1 of 1 calls passed&#127;&#155;2J&#233;."));
	assert_string_equal(phone.notice.text,
			    "a 1 of 1 calls passed   2J\xc3\xa9.");
	comes(HEADLINE(E32 E32 E32 E32 E32 E32 E32 E32));
	assert_int_equal(strlen(phone.notice.text), PHONE_TEXT_SIZE - 2);
	comes(HEADLINE("x" E32 E32 E32 E32 E32 E32 E32 E32));
	assert_int_equal(strlen(phone.notice.text), PHONE_TEXT_SIZE - 1);
}

/* Both offer the same, in one group on one transport, as answerer we begin. */
static void says_its_media(void **state)
{
	static const unsigned char print[32] = { 0xAB };
	struct phone_local l = {
		.ufrag = "me", .pwd = "mine", .print = print, .print_len = 32,
		.priority = 5, .video = true,
	};

	(void)state;
	comes(PROPOSE);
	client.said[0] = '\0';
	assert_int_equal(addr_parse("192.0.2.9", 5000, &l.addr), 0);
	phone_accept(&phone, &l);
	assert_non_null(strstr(client.said, "setup='active'"));
	assert_non_null(strstr(client.said, ">AB:00:"));
	assert_non_null(strstr(client.said, "media='video'"));
	assert_non_null(strstr(client.said, "semantics='BUNDLE'"));
	assert_non_null(strstr(client.said, "ip='192.0.2.9'"));
	client.said[0] = '\0';
	l.video = false;
	phone_initiate(&phone, &l);
	assert_non_null(strstr(client.said, "setup='actpass'"));
	assert_null(strstr(client.said, "media='video'"));
}

/* --- contacts, remedies, accounts ----------------------------------------- */

static void is_contact(const char *bare, const char *want)
{
	char *contact = phone_contact(bare, "calls.example.org");

	assert_string_equal(contact, want);
	free(contact);
}

static void contacts(void **state)
{
	(void)state;
	is_contact("bob@example.org", "bob@calls.example.org");
	is_contact("bob@other.org", "bob\\40other.org@calls.example.org");
	is_contact("d\\27art@example.org", "d\\5c27art@calls.example.org");
	assert_null(phone_contact("example.org", "calls.example.org"));
}

static const char *mends(enum cause c)
{
	struct arena *a = arena_new(0);
	struct phone_said told = { "", "" };
	char *text = cause_text(a, c, "bob");

	snprintf(told.text, sizeof(told.text), "%s", text ? text : "");
	arena_free(a);
	return mend_told(&told);
}

static void remedies(void **state)
{
	struct phone_said step = { "connectivity-error",
		"The call could not be connected (no ICE checks)." };

	(void)state;
	assert_non_null(strstr(mends(CAUSE_SWITCH_OFF), "enable"));
	assert_non_null(strstr(mends(CAUSE_UNKNOWN_USER), "module"));
	assert_non_null(strstr(mends(CAUSE_NEEDS_MESSAGING),
			       "calls_require_messaging"));
	assert_non_null(strstr(mends(CAUSE_BUSY), "another call"));
	assert_non_null(strstr(mends(CAUSE_DRAINING), "draining"));
	assert_non_null(strstr(mends(CAUSE_INTERRUPTED), "entered again"));
	assert_non_null(strstr(mends(CAUSE_REMOTE), "hosts"));
	assert_ptr_equal(mends(CAUSE_DECLINED), mend_log);
	assert_ptr_equal(mend_told(&step), mend_log);
	assert_non_null(strstr(mend_error("forbidden", true), "hosts"));
	assert_ptr_equal(mend_error("conflict", false), mend_no_module);
	assert_non_null(strstr(mend_login("Connection refused"), "--port"));
	assert_non_null(strstr(mend_login("certificate refused: self-signed, "
					  "unauthentic"), "--tls any"));
	assert_non_null(strstr(mend_login("auth: Cannot authenticate"),
			       "password"));
}

static char path[] = "/tmp/test_probe.XXXXXX";

static const char *file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static void reads_accounts(void **state)
{
	struct accounts as = { 0, NULL };

	(void)state;
	close(mkstemp(path));
	assert_true(accounts_read(&as, file("# two\n\na@h  pass word \n"
					    "\tb@h\tx\r\n")));
	assert_int_equal(as.n, 2);
	assert_string_equal(as.list[0].password, "pass word ");
	assert_string_equal(as.list[1].jid, "b@h");
	assert_string_equal(as.list[1].password, "x");
	assert_true(accounts_add(&as, "c@h", file("first\nsecond\n")));
	assert_string_equal(as.list[2].password, "first");
	accounts_drop(&as);
	assert_int_equal(as.n, 2);
	assert_false(accounts_add(&as, "c@h", file("\n")));
	assert_false(accounts_add(&as, "c@h", file("")));
	assert_false(accounts_add(&as, "c@h/x", file("p\n")));
	assert_false(accounts_add(&as, "h", file("p\n")));
	assert_false(accounts_read(&as, file("a@h\n")));
	assert_false(accounts_read(&as, file("a@ h\n")));
	assert_false(accounts_read(&as, "/tmp/test_probe.none"));
	accounts_free(&as);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
#define P(test) cmocka_unit_test_setup_teardown(test, open_phone, close_phone)
	const struct CMUnitTest tests[] = {
		P(rings_once), P(takes_an_offer), P(answers_questions),
		P(hears_of_refusals), P(prints_what_it_is_told),
		P(says_its_media),
		cmocka_unit_test(contacts), cmocka_unit_test(remedies),
		cmocka_unit_test_teardown(reads_accounts, remove_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
