/* test_relay_limits.c: the relay at its limits: too many, out of memory, out of
 * place, at random; who is never sent to.
 */
#include "tests/unit/relay_test.h"

static struct world w;

/* The allocation that fails, counted from now; 0: none. */
static int failing;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return failing && !--failing ? NULL : __real_calloc(n, size);
}

/* --- limits, messages out of place ------------------------------------ */

static void test_limits(void **state)
{
	struct wire_credentials ours;

	(void)state;
	begin(&w, 17, 2);
	tell(&w, WIRE_OPEN, 0, 0, 0);
	ours = w.ours[0][0][0];
	tell(&w, WIRE_OPEN, 1, 0, 0);
	tell(&w, WIRE_OPEN, 2, 5, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 1);
	assert_int_equal(w.last[WIRE_REFUSED].refused.why, WIRE_FULL);
	assert_int_equal(w.last[WIRE_REFUSED].transport, 5);
	/* What is open is told again, unchanged. */
	tell(&w, WIRE_OPEN, 0, 0, 0);
	assert_memory_equal(&ours, &w.ours[0][0][0], sizeof(ours));
	assert_int_equal(relay_calls(w.relay), 2);
	tell(&w, WIRE_CLOSE, 1, 0, 0);
	tell(&w, WIRE_OPEN, 2, 5, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 1);
	/* One without transports is listed, so that it can be closed. */
	tell(&w, WIRE_DROP, 2, 5, 0);
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_int_equal(w.said[WIRE_CALL], 2);
	tell(&w, WIRE_CLOSE, 2, 0, 0);
	/* Draining: no call more, but all of those that run. */
	relay_drain(w.relay);
	tell(&w, WIRE_OPEN, 1, 0, 0);
	assert_int_equal(w.last[WIRE_REFUSED].refused.why, WIRE_DRAINING);
	tell(&w, WIRE_OPEN, 0, 1, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 2);
	assert_int_equal(relay_calls(w.relay), 1);
	end(&w);
}

/* Whoever checks this leg from here, with a ClientHello. */
static void hello_of_leg(unsigned call, unsigned transport, unsigned side)
{
	struct addr from = address("192.0.2.77", 9000 + 100 * call +
				   10 * transport + side);
	struct wire_credentials *ours = &w.ours[call][transport][side];
	unsigned char check[STUN_WRITE_MAX], hello[100] = { DTLS };
	char user[64];
	size_t len;

	snprintf(user, sizeof(user), "%s:x", ours->ufrag);
	len = make_check(user, ours->pwd, check);
	to_relay(&w, &from, check, len);
	hello[13] = 1;
	to_relay(&w, &from, hello, sizeof(hello));
}

/* Two calls fill all places for what waits: another one has its own. */
static void test_held_by_few(void **state)
{
	unsigned i, call, dropped;
	struct client *a, *b;

	(void)state;
	begin(&w, 30, 4);
	for (call = 0; call < 2; call++)
		for (i = 0; i < WIRE_TRANSPORTS_MAX; i++)
			tell(&w, WIRE_OPEN, call, i, 0);
	for (i = 0; i < RELAY_HELD_MAX; i++)
		hello_of_leg(i % 2, i / 2 % WIRE_TRANSPORTS_MAX,
			     i / 2 / WIRE_TRANSPORTS_MAX % 2);
	assert_int_equal(relay_dropped(w.relay, WIRE_TOO_EARLY), 0);
	hello_of_leg(0, 0, 0);     /* its own are all there are */
	assert_int_equal(relay_dropped(w.relay, WIRE_TOO_EARLY), 1);
	tell(&w, WIRE_OPEN, 2, 0, 0);
	a = add_client(&w, "192.0.2.10", 6000, 2, 0, WIRE_CALLER);
	b = add_client(&w, "192.0.2.20", 7000, 2, 0, WIRE_CALLEE);
	tell_of(&w, a);
	tell_client(&w, a);
	pass(&w, 500);
	dropped = (unsigned)relay_dropped(w.relay, WIRE_TOO_EARLY);
	emit(&w, a, DTLS, '1', 300);
	emit(&w, a, DTLS, '2', 300);
	pass(&w, 2 * DELAY);
	assert_int_equal(relay_dropped(w.relay, WIRE_TOO_EARLY), dropped + 2);
	tell_of(&w, b);
	tell_client(&w, b);
	pass(&w, 900);
	assert_string_equal(b->order, "12");
	end(&w);
}

static void test_unknown(void **state)
{
	(void)state;
	begin(&w, 18, 2);
	add_client(&w, "192.0.2.10", 6000, 0, 0, WIRE_CALLER);
	tell_of(&w, &w.client[0]);
	tell(&w, WIRE_OPEN, 0, 1, 0);
	tell_of(&w, &w.client[0]);
	tell(&w, WIRE_DROP, 0, 0, 0);
	tell(&w, WIRE_RESTART, 1, 1, 0);
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNKNOWN), 8);
	assert_int_equal(w.said[WIRE_CREDENTIALS], 0);
	end(&w);
}

/* A call's slot is taken again, and what was asked in the old one is not
 * answered in the new. */
static void test_slots(void **state)
{
	unsigned n;

	(void)state;
	begin(&w, 19, 1);
	for (n = 0; n < 100; n++) {
		w.clients = 0;
		memset(w.client, 0, sizeof(w.client));
		open_call(&w, n % 4, n % WIRE_TRANSPORTS_MAX);
		/* Answers of our checks are on their way, or none. */
		pass(&w, n % 3 ? 15 : 1000);
		if (n % 3 == 0)
			exchange(&w, &w.client[0], &w.client[1], SRTP);
		tell(&w, WIRE_CLOSE, n % 4, 0, 0);
		if (n % 3 == 1)
			pass(&w, 100);
		assert_int_equal(relay_calls(w.relay), 0);
	}
	end(&w);
}

/* Memory runs out: that one is refused, all else stands. */
static void test_memory(void **state)
{
	static const struct relay_handlers handlers = {
		.send = on_send, .say = on_say, .entropy = on_entropy,
	};
	struct relay_config config = { .most_calls = 10, .release = "test" };
	struct relay *r;
	int n;

	(void)state;
	begin(&w, 20, 10);
	open_call(&w, 0, 0);
	for (n = 1; n <= 2; n++) {
		failing = n;
		tell(&w, WIRE_OPEN, 1, 0, 0);
		assert_int_equal(w.said[WIRE_REFUSED], n);
		assert_int_equal(w.last[WIRE_REFUSED].refused.why,
				 WIRE_NO_MEMORY);
		assert_int_equal(relay_calls(w.relay), 1);
	}
	failing = 1;
	tell(&w, WIRE_OPEN, 0, 1, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 3);
	tell(&w, WIRE_OPEN, 1, 0, 0);
	assert_int_equal(relay_calls(w.relay), 2);
	for (n = 1; n <= 8; n++) {
		failing = n;
		assert_int_equal(relay_new(&config, &handlers, &w, &r),
				 ENOMEM);
	}
	failing = 0;
	relay_free(NULL);
	end(&w);
}

/* As many as there can be, opened, restarted and closed in any order: the
 * invariants hold, and no two have one name. */
static void test_many(void **state)
{
	unsigned n, call, transport;

	(void)state;
	begin(&w, 21, 4);
	for (n = 0; n < 4 * WIRE_TRANSPORTS_MAX; n++)
		tell(&w, WIRE_OPEN, n % 4, n / 4, 0);
	assert_int_equal(w.said[WIRE_READY], 32);
	for (n = 0; n < 300; n++) {
		call = rnd(&w) % 4;
		transport = rnd(&w) % WIRE_TRANSPORTS_MAX;
		if (n % 3 == 0)
			tell(&w, WIRE_DROP, call, transport, 0);
		else if (n % 3 == 1)
			tell(&w, WIRE_OPEN, call, transport, 0);
		else
			tell(&w, WIRE_RESTART, call, transport,
			     rnd(&w) % WIRE_SIDES);
		if (n % 50 == 0)
			tell(&w, WIRE_CLOSE, call, 0, 0);
	}
	for (n = 0; n < 4; n++)
		tell(&w, WIRE_CLOSE, n, 0, 0);
	assert_int_equal(relay_calls(w.relay), 0);
	end(&w);
}

/* --- who is never sent to (A25) --------------------------------------- */

static void test_forbidden(void **state)
{
	static const struct {
		const char *ip;
		unsigned port;
		bool open, at_loopback;    /* forbidden? */
	} rows[] = {
		{ "192.0.2.1", 5000, false, false },
		{ "10.0.0.1", 5000, false, false },
		{ "2001:db8::5", 5000, false, false },
		{ "127.0.0.1", 5000, true, false },
		{ "127.9.9.9", 5000, true, false },
		{ "::1", 5000, true, false },
		{ "127.0.0.1", 53, true, true },
		{ "127.0.0.1", 0, true, true },
		{ "::1", 53, true, true },
		{ "::", 5000, true, true },
		{ "0.0.0.0", 5000, true, true },
		{ "::ffff:127.0.0.1", 5000, true, true },
		{ "169.254.169.254", 5000, true, true },
		{ "224.0.0.1", 5000, true, true },
		{ "fe80::1", 5000, true, true },
	};
	struct relay_config open = { .locals = 2 }, loop = { .locals = 2 };
	struct addr_range range;
	struct addr a;
	size_t i;

	(void)state;
	open.local[0].base = address("192.0.2.9", 10000);
	open.local[1].base = address("2001:db8::9", 10000);
	loop.local[0].base = address("127.0.0.1", 10000);
	loop.local[1].base = address("::1", 10000);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = address(rows[i].ip, rows[i].port);
		assert_int_equal(relay_forbidden(&a, &open), rows[i].open);
		assert_int_equal(relay_forbidden(&a, &loop),
				 rows[i].at_loopback);
	}
	/* An admin's rule holds at either. */
	assert_int_equal(addr_range_parse("127.9.0.0/16", &range), 0);
	assert_int_equal(addr_rules_add(&loop.rules, &range, false), 0);
	assert_int_equal(addr_range_parse("10.0.0.0/8", &range), 0);
	assert_int_equal(addr_rules_add(&open.rules, &range, false), 0);
	a = address("127.9.9.9", 5000);
	assert_true(relay_forbidden(&a, &loop));
	a = address("127.0.0.1", 5000);
	assert_false(relay_forbidden(&a, &loop));
	a = address("10.0.0.1", 5000);
	assert_true(relay_forbidden(&a, &open));
	/* Of one family alone. */
	loop.local[1].base = open.local[1].base;
	a = address("::1", 5000);
	assert_true(relay_forbidden(&a, &loop));
}

/* --- anything, at random ---------------------------------------------- */

static void random_message(void)
{
	static const enum wire_kind kinds[] = {
		WIRE_HELLO, WIRE_OPEN, WIRE_OPEN, WIRE_END, WIRE_RESTART,
		WIRE_DROP, WIRE_CLOSE, WIRE_LIST,
	};
	enum wire_kind kind = kinds[rnd(&w) % 8];
	bool of_transport = kind != WIRE_CLOSE && kind != WIRE_LIST &&
			    kind != WIRE_HELLO;
	bool of_side = kind == WIRE_END || kind == WIRE_RESTART;

	tell(&w, kind, rnd(&w) % 4,
	     of_transport ? rnd(&w) % WIRE_TRANSPORTS_MAX : 0,
	     of_side ? rnd(&w) % WIRE_SIDES : 0);
}

/* Messages, packets and time in any order: the invariants hold (they are
 * asserted after each step), and no stranger gets anything. */
static void test_random(void **state)
{
	struct addr stranger = address(STRANGER, 5000);
	struct client *c;
	uint64_t seed;
	unsigned n;

	(void)state;
	for (seed = 1; seed <= 30; seed++) {
		begin(&w, seed, 3);
		w.loss = (int)(seed % 3) * 10;
		open_call(&w, 0, 0);
		open_call(&w, 1, 2);
		open_call(&w, 2, 1);
		for (n = 0; n < 100; n++) {
			c = &w.client[rnd(&w) % w.clients];
			switch (rnd(&w) % 8) {
			case 0:
				random_message();
				break;
			case 1:
				spray(&w, rnd(&w) % 2 ? &stranger : &c->addr);
				break;
			case 2:
				tell(&w, WIRE_OPEN, c->call, c->transport, 0);
				tell_of(&w, c);
				tell_client(&w, c);
				break;
			default:
				emit(&w, c, rnd(&w) % 2 ? SRTP : DTLS, 'r',
				     20 + rnd(&w) % 1000);
				break;
			}
			pass(&w, (int64_t)(rnd(&w) % 3000));
		}
		end(&w);
	}
}

static void test_names(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < RELAY_COUNTS; i++)
		assert_string_not_equal(relay_count_name(i), "?");
	assert_string_equal(relay_count_name(RELAY_COUNTS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_held_by_few),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
