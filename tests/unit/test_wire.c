/* test_wire.c: messages between control and media: what is written is read,
 * and whatever is not of that form is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mod_privatecall/media/wire.h"

#define CALL "01234567-89ab-cdef-0123-456789ABCDEF"

static bool of_media(enum wire_kind kind)
{
	return kind >= WIRE_WELCOME;
}

static void put_credentials(struct wire_credentials *c)
{
	strcpy(c->ufrag, "abcdefgh");
	strcpy(c->pwd, "abcdefghijklmnopqrstuvwx");
}

static void put_fingerprint(struct wire_fingerprint *f)
{
	strcpy(f->hash, "sha-256");
	f->len = 32;
	memset(f->value, 0xa5, 32);
}

/* A good message of each kind. */
static void make(struct wire_msg *m, enum wire_kind kind)
{
	bool of_call = kind != WIRE_HELLO && kind != WIRE_LIST &&
		       kind != WIRE_WELCOME && kind != WIRE_LISTED;

	wire_begin(m, kind, of_call ? CALL : NULL);
	switch (kind) {
	case WIRE_HELLO:
		strcpy(m->hello.release, "0.1.0");
		break;
	case WIRE_OPEN:
		m->open.mode = WIRE_ROOM;
		break;
	case WIRE_SECURITY:
		put_fingerprint(&m->security.fingerprint);
		m->security.active = 1;
		break;
	case WIRE_MAP:
		m->map.type[111].clock = 48000;
		m->map.type[111].out = 96;
		m->map.type[111].media = REWRITE_AUDIO;
		m->map.type[111].apt = REWRITE_NO_APT;
		break;
	case WIRE_JOIN:
		m->join.home = 2;
		m->join.media = REWRITE_VIDEO;
		break;
	case WIRE_REMOTE:
		strcpy(m->remote.ufrag, "u");
		memset(m->remote.pwd, 'p', ICE_PWD_MAX);
		break;
	case WIRE_CANDIDATE:
		addr_parse("192.0.2.1", 5000, &m->candidate.addr);
		m->candidate.type = ICE_RELAY;
		break;
	case WIRE_WELCOME:
		m->welcome.offers = 2;
		addr_parse("192.0.2.1", 5000, &m->welcome.offer[0].addr);
		addr_parse("2001:db8::1", 5000, &m->welcome.offer[1].addr);
		addr_parse("10.0.0.1", 5000, &m->welcome.offer[1].related);
		strcpy(m->welcome.offer[1].foundation, "2");
		break;
	case WIRE_READY:
		put_credentials(&m->ready.side[0]);
		put_credentials(&m->ready.side[1]);
		put_fingerprint(&m->ready.fingerprint);
		break;
	case WIRE_CREDENTIALS:
		put_credentials(&m->credentials);
		break;
	case WIRE_TROUBLE:
		strcpy(m->trouble.text, "no shared cipher");
		break;
	default:
		break;
	}
}

static int read_back(const struct wire_msg *m, enum wire_kind kind)
{
	struct wire_msg got;
	const char *why;
	int err = wire_read(m, wire_size(kind), of_media(kind), &got, &why);

	assert_true(err == 0 || err == EBADMSG);
	assert_int_equal(!err, why == NULL);
	if (!err)
		assert_memory_equal(&got, m, sizeof(got));
	return err;
}

static void test_each_kind(void **state)
{
	struct wire_msg m, got;
	const char *why;
	unsigned kind;
	size_t len;

	(void)state;
	for (kind = 1; kind < WIRE_KINDS; kind++) {
		make(&m, kind);
		assert_string_not_equal(wire_kind_name(kind), "?");
		assert_in_range(wire_size(kind), 48, sizeof(m));
		assert_int_equal(read_back(&m, kind), 0);
		/* From the wrong side. */
		assert_int_equal(wire_read(&m, wire_size(kind),
					   !of_media(kind), &got, &why),
				 EBADMSG);
		for (len = 0; len < wire_size(kind); len++)
			assert_int_equal(wire_read(&m, len, of_media(kind),
						   &got, &why), EBADMSG);
		assert_int_equal(wire_read(&m, wire_size(kind) + 1,
					   of_media(kind), &got, &why),
				 EBADMSG);
	}
	assert_int_equal(wire_size(WIRE_KINDS), 0);
}

static void test_head(void **state)
{
	struct wire_msg m;
	unsigned kind;

	(void)state;
	for (kind = 1; kind < WIRE_KINDS; kind++) {
		make(&m, kind);
		m.version = WIRE_VERSION + 1;
		assert_int_equal(read_back(&m, kind), EBADMSG);
		make(&m, kind);
		m.kind = kind % 2 ? WIRE_NOTHING : WIRE_KINDS;
		assert_int_equal(read_back(&m, kind), EBADMSG);
		make(&m, kind);
		m.zero = 1;
		assert_int_equal(read_back(&m, kind), EBADMSG);
		make(&m, kind);
		m.transport = WIRE_TRANSPORTS_MAX;
		assert_int_equal(read_back(&m, kind), EBADMSG);
		make(&m, kind);
		m.side = WIRE_SIDES;
		assert_int_equal(read_back(&m, kind), EBADMSG);
	}
	make(&m, WIRE_CLOSE);
	m.transport = 1;               /* it has none */
	assert_int_equal(read_back(&m, WIRE_CLOSE), EBADMSG);
	make(&m, WIRE_END);
	m.transport = WIRE_TRANSPORTS_MAX - 1;
	m.side = WIRE_CALLEE;
	assert_int_equal(read_back(&m, WIRE_END), 0);
}

static void test_call(void **state)
{
	static const char *const bad[] = {
		"", "x", CALL "0", "01234567-89ab-cdef-0123-456789ABCDE",
		"01234567089ab-cdef-0123-456789ABCDEF",
		"0123456g-89ab-cdef-0123-456789ABCDEF",
	};
	struct wire_msg m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make(&m, WIRE_CLOSE);
		memset(m.call, 0, sizeof(m.call));
		memcpy(m.call, bad[i], strlen(bad[i]));
		assert_int_equal(read_back(&m, WIRE_CLOSE), EBADMSG);
	}
	make(&m, WIRE_CLOSE);
	m.call[WIRE_CALL_SIZE + 1] = 'x';      /* behind its end */
	assert_int_equal(read_back(&m, WIRE_CLOSE), EBADMSG);
	make(&m, WIRE_LIST);
	strcpy(m.call, CALL);
	assert_int_equal(read_back(&m, WIRE_LIST), EBADMSG);
}

/* A text without end would be read past its place. */
static void test_texts(void **state)
{
	struct wire_msg m;

	(void)state;
	make(&m, WIRE_HELLO);
	memset(m.hello.release, 'x', WIRE_RELEASE_SIZE);
	assert_int_equal(read_back(&m, WIRE_HELLO), EBADMSG);
	make(&m, WIRE_REMOTE);
	memset(m.remote.ufrag, 'x', WIRE_UFRAG_SIZE);
	assert_int_equal(read_back(&m, WIRE_REMOTE), EBADMSG);
	make(&m, WIRE_REMOTE);
	memset(m.remote.pwd, 'x', WIRE_PWD_SIZE);
	assert_int_equal(read_back(&m, WIRE_REMOTE), EBADMSG);
	make(&m, WIRE_REMOTE);
	m.remote.ufrag[0] = '\0';
	assert_int_equal(read_back(&m, WIRE_REMOTE), EBADMSG);
	make(&m, WIRE_REMOTE);
	memset(m.remote.pwd, 0, WIRE_PWD_SIZE);
	assert_int_equal(read_back(&m, WIRE_REMOTE), EBADMSG);
	make(&m, WIRE_CANDIDATE);
	memset(m.candidate.ufrag, 'x', WIRE_UFRAG_SIZE);
	assert_int_equal(read_back(&m, WIRE_CANDIDATE), EBADMSG);
	make(&m, WIRE_WELCOME);
	memset(m.welcome.offer[1].foundation, 'x', 4);
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_WELCOME);
	memset(m.welcome.release, 'x', WIRE_RELEASE_SIZE);
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_READY);
	m.ready.side[1].pwd[0] = '\0';
	assert_int_equal(read_back(&m, WIRE_READY), EBADMSG);
	make(&m, WIRE_READY);
	memset(m.ready.side[0].ufrag, 'x', ICE_OUR_UFRAG_SIZE);
	assert_int_equal(read_back(&m, WIRE_READY), EBADMSG);
	make(&m, WIRE_CREDENTIALS);
	memset(m.credentials.pwd, 'x', ICE_OUR_PWD_SIZE);
	assert_int_equal(read_back(&m, WIRE_CREDENTIALS), EBADMSG);
	make(&m, WIRE_TROUBLE);
	memset(m.trouble.text, 'x', WIRE_TROUBLE_SIZE);
	assert_int_equal(read_back(&m, WIRE_TROUBLE), EBADMSG);
	make(&m, WIRE_TROUBLE);
	m.trouble.text[2] = '\n';
	assert_int_equal(read_back(&m, WIRE_TROUBLE), EBADMSG);
	make(&m, WIRE_TROUBLE);
	memset(m.trouble.text, 0, WIRE_TROUBLE_SIZE);
	assert_int_equal(read_back(&m, WIRE_TROUBLE), EBADMSG);
}

static void test_values(void **state)
{
	struct wire_msg m;

	(void)state;
	make(&m, WIRE_CANDIDATE);
	m.candidate.type = ICE_RELAY + 1;
	assert_int_equal(read_back(&m, WIRE_CANDIDATE), EBADMSG);
	make(&m, WIRE_CANDIDATE);
	m.candidate.addr.family = ADDR_NONE;
	assert_int_equal(read_back(&m, WIRE_CANDIDATE), EBADMSG);
	make(&m, WIRE_CANDIDATE);
	m.candidate.addr.family = ADDR_V6 + 1;
	assert_int_equal(read_back(&m, WIRE_CANDIDATE), EBADMSG);
	make(&m, WIRE_CANDIDATE);
	m.candidate.addr.ip[15] = 1;           /* IPv4 has four bytes */
	assert_int_equal(read_back(&m, WIRE_CANDIDATE), EBADMSG);
	make(&m, WIRE_WELCOME);
	m.welcome.offers = ICE_OFFERS_MAX + 1;
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_WELCOME);
	m.welcome.draining = 2;
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_WELCOME);
	m.welcome.offer[0].type = ICE_RELAY + 1;
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_WELCOME);
	m.welcome.offer[0].addr.family = ADDR_NONE;
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_WELCOME);
	m.welcome.offer[0].related.family = 9;
	assert_int_equal(read_back(&m, WIRE_WELCOME), EBADMSG);
	make(&m, WIRE_REFUSED);
	m.refused.why = WIRE_WHYS;
	assert_int_equal(read_back(&m, WIRE_REFUSED), EBADMSG);
	make(&m, WIRE_STEP);
	m.said.step = WIRE_STEPS;
	assert_int_equal(read_back(&m, WIRE_STEP), EBADMSG);
	make(&m, WIRE_CALL);
	m.listed.side[0].state = ICE_STATES;
	assert_int_equal(read_back(&m, WIRE_CALL), EBADMSG);
	make(&m, WIRE_CALL);
	m.listed.side[1].state = ICE_STATES;
	assert_int_equal(read_back(&m, WIRE_CALL), EBADMSG);
}

/* Of a certificate: its hash's name and bytes, both or neither. */
static void test_fingerprints(void **state)
{
	struct wire_msg m;

	(void)state;
	make(&m, WIRE_READY);
	memset(&m.ready.fingerprint, 0, sizeof(m.ready.fingerprint));
	assert_int_equal(read_back(&m, WIRE_READY), 0);
	m.ready.fingerprint.len = 1;
	assert_int_equal(read_back(&m, WIRE_READY), EBADMSG);
	make(&m, WIRE_READY);
	m.ready.fingerprint.len = 0;
	assert_int_equal(read_back(&m, WIRE_READY), EBADMSG);
	make(&m, WIRE_SECURITY);
	memset(&m.security.fingerprint, 0, sizeof(m.security.fingerprint));
	assert_int_equal(read_back(&m, WIRE_SECURITY), EBADMSG);
	make(&m, WIRE_SECURITY);
	m.security.fingerprint.len = WIRE_HASH_MAX + 1;
	assert_int_equal(read_back(&m, WIRE_SECURITY), EBADMSG);
	make(&m, WIRE_SECURITY);
	memset(m.security.fingerprint.hash, 'x', WIRE_HASH_SIZE);
	assert_int_equal(read_back(&m, WIRE_SECURITY), EBADMSG);
	make(&m, WIRE_SECURITY);
	m.security.active = 2;
	assert_int_equal(read_back(&m, WIRE_SECURITY), EBADMSG);
	make(&m, WIRE_MAP);
	m.map.type[111].out = RTP_PACKET_TYPES;
	assert_int_equal(read_back(&m, WIRE_MAP), EBADMSG);
	make(&m, WIRE_JOIN);
	m.join.home = WIRE_TRANSPORTS_MAX;
	assert_int_equal(read_back(&m, WIRE_JOIN), EBADMSG);
	make(&m, WIRE_JOIN);
	m.join.home = m.transport;
	assert_int_equal(read_back(&m, WIRE_JOIN), EBADMSG);
	make(&m, WIRE_JOIN);
	m.join.media = REWRITE_MEDIA;
	assert_int_equal(read_back(&m, WIRE_JOIN), EBADMSG);
	make(&m, WIRE_RENEW);
	m.renew.controlling = 2;
	assert_int_equal(read_back(&m, WIRE_RENEW), EBADMSG);
	make(&m, WIRE_OPEN);
	m.open.mode = WIRE_MODES;
	assert_int_equal(read_back(&m, WIRE_OPEN), EBADMSG);
}

static void test_names(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < WIRE_STEPS; i++)
		assert_string_not_equal(wire_step_name(i), "?");
	for (i = 0; i < WIRE_WHYS; i++)
		assert_string_not_equal(wire_why_name(i), "?");
	for (i = 0; i < WIRE_DROPS; i++)
		assert_string_not_equal(wire_drop_name(i), "?");
	assert_string_equal(wire_side_name(WIRE_CALLER), "caller");
	assert_string_equal(wire_side_name(WIRE_CALLEE), "callee");
	assert_string_equal(wire_side_name(WIRE_SIDES), "?");
	assert_string_equal(wire_step_name(WIRE_STEPS), "?");
	assert_string_equal(wire_why_name(WIRE_WHYS), "?");
	assert_string_equal(wire_drop_name(WIRE_DROPS), "?");
	assert_string_equal(wire_kind_name(WIRE_NOTHING), "?");
	assert_string_equal(wire_kind_name(WIRE_KINDS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
