/* test_media_stun.c: STUN at the real privatecall-media in both modes: without
 * a right user name and integrity silence, malformed ones dropped, answers with
 * no other bytes than they should have and never longer than what they answer.
 */
#include "tests/unit/media_attack_test.h"
#include "tests/unit/stun_test.h"

#define ROW(code, ...) \
	row(code, mode_name(), "test_media_stun", __func__, __VA_ARGS__)

/* --- requests --------------------------------------------------------- */

static const char *pwd_of(const struct peer *p)
{
	return ready[p->call].side[p->side].pwd;
}

/* "ours:his" */
static const char *name_of(const struct peer *p)
{
	static char name[WIRE_UFRAG_SIZE + ICE_OUR_UFRAG_SIZE];

	snprintf(name, sizeof(name), "%s:%s",
		 ready[p->call].side[p->side].ufrag, p->agent.current.ufrag);
	return name;
}

/* A right check, as he could send it from another address. */
static struct stun_msg check_of(const struct peer *p)
{
	struct stun_msg m = {
		.class = STUN_REQUEST, .has_priority = true, .priority = 1,
		.role = p->agent.controlling ? STUN_CONTROLLING :
			STUN_CONTROLLED,
		.tie_breaker = p->agent.tie_breaker,
	};

	random_bytes(m.id, sizeof(m.id));
	m.username = (const unsigned char *)name_of(p);
	m.username_len = strlen((const char *)m.username);
	return m;
}

static size_t write_msg(const struct stun_msg *m, const char *pwd,
			unsigned char out[STUN_WRITE_MAX])
{
	size_t len;

	assert_int_equal(stun_write(m, pwd, strlen(pwd), out, STUN_WRITE_MAX,
				    &len), 0);
	return len;
}

/* --- what an attacker gets -------------------------------------------- */

struct came {
	unsigned answers, checks, other;
	size_t longest;            /* of the answers */
	size_t len;                /* and the last of them */
	unsigned char last[PACKET];
};

/* All that lies at this socket, after all that was sent has been read. */
static struct came came_to(int fd)
{
	struct came c = { 0 };
	unsigned char bytes[PACKET];
	ssize_t len;

	while ((len = recv(fd, bytes, sizeof(bytes), 0)) >= 0) {
		if (demux_kind(bytes, (size_t)len) != DEMUX_STUN) {
			c.other++;
		} else if (!(bytes[0] & 1) && !(bytes[1] & 0x10)) {
			c.checks++;
		} else {
			c.answers++;
			c.len = (size_t)len;
			memcpy(c.last, bytes, c.len);
			if (c.len > c.longest)
				c.longest = c.len;
		}
	}
	return c;
}

static struct came ask(int fd, const void *bytes, size_t len)
{
	send_to(fd, media_addr(), bytes, len);
	talk(0);
	return came_to(fd);
}

/* --- A22: malformed --------------------------------------------------- */

#define PRIORITY "0024 0004 00000001"

struct odd {
	const char *attrs;         /* after USERNAME */
	const char *username;      /* its header, when another one */
	int length;                /* added to what the header says */
	bool unsigned_;            /* without MESSAGE-INTEGRITY */
	bool short_name;           /* "ours:" alone */
	const char *after;         /* MESSAGE-INTEGRITY */
	bool answered;             /* with an error or a success, as it is
				      right but for that */
};

static const struct odd odds[] = {
	{ .attrs = PRIORITY "8fff ffff 00000000" },
	{ .attrs = PRIORITY "8fff 0100" },
	{ .attrs = PRIORITY "8fff 0003 000000" },  /* no padding */
	{ .attrs = PRIORITY, .length = 4 },
	{ .attrs = PRIORITY, .length = -4 },
	{ .attrs = PRIORITY, .length = 1 },
	{ .attrs = PRIORITY, .username = "0006 0000" },
	{ .attrs = PRIORITY, .username = "0006 0201" },
	{ .attrs = PRIORITY, .username = "0006 ffff" },
	{ .attrs = PRIORITY, .unsigned_ = true },
	{ .attrs = PRIORITY "0024 0003 00000000" },        /* 3 bytes of it */
	{ .attrs = PRIORITY, .after = "8028 0004 00000000" },
	{ .attrs = PRIORITY, .after = "8028 0003 00000000" },
	{ .attrs = PRIORITY "8029 0007 00000000 00000000" },
	/* The answer would be 68 bytes, it has 64. */
	{ .attrs = "7ffe 0000", .short_name = true },
	/* Right but for what is ignored, or refused. */
	{ .attrs = PRIORITY, .answered = true },           /* no role */
	{ .attrs = "", .answered = true },
	{ .attrs = PRIORITY "7ffe 0000", .answered = true },
	{ .attrs = PRIORITY "8029 0008 0000000000000001"
		   "802a 0008 0000000000000001", .answered = true },
};

static void add_hex(struct packet *q, const char *hex)
{
	struct packet more = packet_hex(hex);

	packet_add(q, more.bytes, more.len);
	packet_free(&more);
}

static const struct odd no_role = { .attrs = PRIORITY };
static const struct odd unknown = { .attrs = PRIORITY "7ffe 0000" };

/* A request of his with this fault, signed with the right password. */
static struct packet make_odd(const struct odd *o, const struct peer *p)
{
	char attrs[256] = "", name[64];
	struct packet q;
	unsigned i, n = (unsigned)snprintf(name, sizeof(name), "%s",
					   name_of(p));

	if (o->short_name)
		n = ICE_OUR_UFRAG_SIZE;
	for (i = 0; i < (n + 3) / 4 * 4; i++)
		snprintf(attrs + 2 * i, sizeof(attrs) - 2 * i, "%02x",
			 i < n ? (unsigned)name[i] : 0);
	snprintf(name, sizeof(name), "0006 %04x", n);
	q = packet_made("0001", o->username ? o->username : name);
	add_hex(&q, attrs);
	add_hex(&q, o->attrs);
	random_bytes(q.bytes + 8, STUN_ID_SIZE);
	if (!o->unsigned_)
		packet_sign(&q, pwd_of(p));
	if (o->after)
		add_hex(&q, o->after);
	set_length(&q, q.len + (size_t)o->length);
	return q;
}

/* As somebody in the call could send it, who knows the password. */
static void test_malformed(void **state)
{
	const unsigned n = sizeof(odds) / sizeof(odds[0]);
	unsigned i, side, silent = 0, answered = 0;

	(void)state;
	begin();
	add_attackers(2);
	for (side = 0; side < WIRE_SIDES; side++)
		for (i = 0; i < n; i++) {
			struct packet q = make_odd(&odds[i],
						   of_call(0, side));
			struct came c = ask(attacker[side], q.bytes, q.len);

			if (c.answers != odds[i].answered || c.checks ||
			    c.other || c.longest > q.len)
				fail_msg("case %u: %u answers, %u checks", i,
					 c.answers, c.checks);
			silent += !c.answers;
			answered += c.answers;
			packet_free(&q);
		}
	unharmed(0);
	finish();
	ROW("A22", "%u malformed requests with the right password (lengths, "
	    "padding, user name of 0, 513 and 65,535 bytes, FINGERPRINT, "
	    "MESSAGE-INTEGRITY, too short for an answer): silence; %u that "
	    "lack something or have too much: an error, no longer than they "
	    "are", silent, answered);
}

/* 200 attributes, and every length that is too short. */
static void test_many_attributes(void **state)
{
	static const char *const kind[] = { "8fff0000", "7fff0000",
					    "00060000" };
	struct packet q;
	struct came c;
	unsigned i, n;

	(void)state;
	begin();
	add_attackers(1);
	for (i = 0; i < 3; i++) {
		q = make_odd(&no_role, of_call(0, 0));
		for (n = 0; n < 200; n++)
			add_hex(&q, kind[i]);
		c = ask(attacker[0], q.bytes, q.len);
		assert_true(c.answers <= 1 && !c.checks && !c.other);
		assert_true(c.longest <= q.len);
		packet_free(&q);
	}
	q = make_odd(&no_role, of_call(0, 0));
	for (i = 1; i < q.len; i++) {
		c = ask(attacker[0], q.bytes, i);
		assert_int_equal(c.answers + c.checks + c.other, 0);
	}
	packet_free(&q);
	unharmed(0);
	finish();
	ROW("A22", "requests of 200 attributes, and a right one cut at every "
	    "length: no answer that is longer, 0 for those cut off");
}

/* --- A23: no other bytes ---------------------------------------------- */

/* Is the answer this one, byte for byte? */
static void judge_answer(unsigned side, const struct stun_msg *m,
			 const struct packet *raw, unsigned error)
{
	const struct peer *p = of_call(0, side);
	unsigned char request[STUN_WRITE_MAX], want[STUN_WRITE_MAX];
	struct stun_msg answer = { .class = error ? STUN_ERROR : STUN_SUCCESS,
				   .error = error };
	size_t len = raw ? raw->len : write_msg(m, pwd_of(p), request), n;
	const unsigned char *bytes = raw ? raw->bytes : request;
	struct came c = ask(attacker[side], bytes, len);

	memcpy(answer.id, bytes + 8, STUN_ID_SIZE);
	if (!error)
		answer.mapped = attacker_addr[side];
	if (error == STUN_UNKNOWN) {
		answer.refused_n = 1;
		answer.refused[0] = 0x7ffe;
	}
	n = write_msg(&answer, pwd_of(p), want);
	assert_int_equal(c.answers, 1);
	assert_int_equal(c.len, n);
	assert_memory_equal(c.last, want, n);
	assert_true(n <= len);
}

static void test_bytes(void **state)
{
	struct stun_msg m;
	struct packet raw;
	unsigned side;

	(void)state;
	begin();
	add_attackers(2);
	for (side = 0; side < WIRE_SIDES; side++) {
		struct peer *p = of_call(0, side);

		m = check_of(p);
		judge_answer(side, &m, NULL, 0);
		/* Our role, and who has the better number keeps it. */
		m = check_of(p);
		m.role = side == WIRE_CALLER ? STUN_CONTROLLED :
			 STUN_CONTROLLING;
		m.tie_breaker = side == WIRE_CALLER ? UINT64_MAX : 0;
		judge_answer(side, &m, NULL, STUN_ROLE_CONFLICT);
		m = check_of(p);
		m.has_priority = false;
		judge_answer(side, &m, NULL, STUN_BAD_REQUEST);
		raw = make_odd(&unknown, p);
		judge_answer(side, NULL, &raw, STUN_UNKNOWN);
		packet_free(&raw);
	}
	unharmed(0);
	finish();
	ROW("A23", "answers to a right check, and 400, 420, 487, towards both "
	    "sides: byte for byte what they should be");
}

/* --- A24: no answer, no state ----------------------------------------- */

/* One of those that nobody should answer. */
static void send_unauthentic(unsigned n)
{
	const struct peer *p = of_call(0, n % 2);
	unsigned char bytes[STUN_WRITE_MAX];
	struct stun_msg m = check_of(p);
	size_t len;

	switch (n % 5) {
	case 0:                    /* the right ufrag, a wrong password */
		len = write_msg(&m, "wrongwrongwrongwrongwron", bytes);
		break;
	case 1:                    /* nobody's ufrag */
		m.username = (const unsigned char *)"nobody00:x";
		m.username_len = 10;
		len = write_msg(&m, pwd_of(p), bytes);
		break;
	case 2:                    /* no user name */
		m.username = NULL;
		m.username_len = 0;
		len = write_msg(&m, pwd_of(p), bytes);
		break;
	case 3:                    /* an answer to nothing */
		m = (struct stun_msg) { .class = STUN_SUCCESS,
					.mapped = attacker_addr[0] };
		random_bytes(m.id, sizeof(m.id));
		len = write_msg(&m, pwd_of(p), bytes);
		break;
	default:
		random_bytes(bytes, len = 100);
		bytes[0] = 0;
		break;
	}
	send_to(attacker[n % attackers], media_addr(), bytes, len);
}

/* KiB of the process in memory. */
static unsigned long memory(void)
{
	char path[64];
	unsigned long size, resident = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)media);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &size, &resident), 2);
	fclose(f);
	return resident * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

static void test_silence(void **state)
{
	const unsigned n = many(20000, 1000000);
	unsigned long before = 0;
	unsigned i;

	(void)state;
	begin();
	add_attackers(ATTACKERS);
	for (i = 0; i < n; i++) {
		send_unauthentic(i);
		if (i % BURST == 0)
			talk(0);
		if (i == n / 4)
			before = memory();
	}
	rest_agents(0);
	assert_true(memory() <= before + 64);
	unharmed(0);
	assert_int_equal(came_to_attackers(NULL), 0);
	finish();
	assert_int_equal(dropped("unnamed") + dropped("unasked") +
			 dropped("malformed"), n / 5 * 4);
	ROW("A24", "%u messages without a right user name and integrity from "
	    "%u addresses: 0 answers, the process' memory as before, the call "
	    "goes on", n, ATTACKERS);
}

/* --- 3d: a right check of his, from elsewhere ------------------------- */

/* Who saw it on the way sends it again, as it was, or has the password and
 * changes it: he may have an answer and checks, and nothing else. */
static void test_replayed_check(void **state)
{
	struct came sum = { 0 };
	struct peer *a, *b;
	struct wire_closed c;
	unsigned char bytes[STUN_WRITE_MAX], media_bytes[PACKET];
	unsigned i, sent = 0;
	size_t len;

	(void)state;
	begin();
	add_attackers(1);
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	for (i = 0; i < 200; i++) {
		struct stun_msg m = check_of(a);
		struct came more;

		m.use_candidate = i % 4 == 1 && m.role == STUN_CONTROLLING;
		if (i % 4 == 2) {          /* a conflict that he wins */
			m.role = STUN_CONTROLLED;
			m.tie_breaker = UINT64_MAX;
		}
		len = write_msg(&m, pwd_of(a), bytes);
		more = ask(attacker[0], bytes, len);
		sum.answers += more.answers;
		sum.checks += more.checks;
		sum.other += more.other;
		assert_true(more.longest <= len);
	}
	assert_int_equal(sum.answers, 200);
	assert_int_equal(sum.other, 0);
	for (i = 0; i < 100; i++, sent++) {
		size_t n = forge_rtp(a, media_bytes, 100);

		send_to(attacker[0], media_addr(), media_bytes, n);
		talk(0);
	}
	assert_int_equal(came_to(attacker[0]).other, 0);
	assert_int_equal(b->bad, mode == WIRE_ROOM ? 0 : sent);
	unharmed(0);
	c = finish();
	assert_int_equal(c.dropped[WIRE_NOT_AUTHENTIC],
			 mode == WIRE_ROOM ? sent : 0);
	ROW("A24", "200 right checks of the caller from a third address, with "
	    "USE-CANDIDATE, with a conflict of roles: an answer each, no "
	    "longer, and checks, which he cannot answer; 0 media to him; what "
	    "he sends %s", mode == WIRE_ROOM ? "does not pass" :
	    "passes and does not open");
}

static void test_table(void **state)
{
	(void)state;
	if (at_length())
		skip();
	judge_table("test_media_stun");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(test_malformed), IN_BOTH(test_many_attributes),
		IN_BOTH(test_bytes), IN_BOTH(test_silence),
		IN_BOTH(test_replayed_check), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
