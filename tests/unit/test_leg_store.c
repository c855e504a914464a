/* test_leg_store.c: a leg written as a row and read back, and rows that are
 * not ours.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/session/leg.h"

static void begin(struct leg *l)
{
	assert_int_equal(leg_init(l, "u@h", "p@c", "call", true), 0);
}

static const char every_line[] =
	"media 3\n"
	"dialed p@c/a%20b%25%0A\xc3\xa9\n"
	"returned 1800000000000\n"
	"device 10100 - u@h/a\n"
	"device 01011 S%202 %2Du@h/-\n"
	"content initiator initiator uf pw audio\n"
	"content responder - - - %\n"
	"content responder initiator u%20f - a-b\n"
	"content initiator - u p v 1\n"
	"home v 0\n"
	"his v their%20v\n"
	"says v <description%20media='audio'/>\n"
	"content initiator - u p w 7 active omemo\n"
	"content initiator - u p x 0 passive sha-256%2000:FF\n"
	"ours 1 u p\n"
	"ours 3 u p sha-256%2000:FF\n";

/* What a peer chose can hold anything and stays one word. */
static void round_trip(void **state)
{
	struct arena *a = arena_new(0);
	struct leg l;

	(void)state;
	begin(&l);
	assert_int_equal(leg_flags(&l), LEG_FLAG_GATEWAY);
	assert_int_equal(leg_restore(&l, LEG_CALLER, LEG_ACTIVE,
				     LEG_FLAG_JMI | LEG_FLAG_GATEWAY |
				     LEG_FLAG_FINISH_DUE, "u@h/a", "sid",
				     every_line, 7), 0);
	leg_check(&l);
	assert_string_equal(leg_data(&l, a), every_line);
	assert_int_equal(leg_flags(&l), LEG_FLAG_JMI | LEG_FLAG_GATEWAY |
			 LEG_FLAG_FINISH_DUE);
	assert_int_equal(l.media, 3);
	assert_string_equal(l.dialed, "p@c/a b%\n\xc3\xa9");
	assert_true(l.restored);
	assert_int_equal(l.returned, 1800000000000);
	assert_int_equal(l.role, LEG_CALLER);
	leg_clear(&l);
	assert_null(l.user);           /* what is clear owns nothing */
	arena_free(a);
}

/* Room: who came back is the initiator, whoever called first; who is away, and
 * that the other knows of no SSRC of his, are kept, too. */
static void came_back(void **state)
{
	unsigned flags = LEG_FLAG_TURNED | LEG_FLAG_ABSENT |
			 LEG_FLAG_STRANGER, i;
	struct leg l;

	(void)state;
	for (i = 1; i; i <<= 1) {
		if (!(flags & i))
			continue;
		begin(&l);
		assert_int_equal(leg_restore(&l, LEG_CALLEE, LEG_ENDED, i,
					     "u@h/a", "s", NULL, 7), 0);
		assert_int_equal(l.role, i == LEG_FLAG_TURNED ? LEG_CALLER :
				 LEG_CALLEE);
		assert_int_equal(leg_flags(&l), i);
		leg_clear(&l);
	}
}

static void empty_row(void **state)
{
	struct leg l;

	(void)state;
	begin(&l);
	assert_int_equal(leg_restore(&l, LEG_CALLEE, LEG_IDLE, 0, NULL, NULL,
				     NULL, 7), 0);
	assert_int_equal(leg_flags(&l), 0);
	leg_clear(&l);
}

static void not_ours(void **state)
{
	static const char *const rows[] = {
		"what 1", "media", "dialed", "dialed %", "device",
		"device 11111", "device 11111 -", "device 111 - u@h/a",
		"device 11111 - u@h/%4", "device 11111 - u@h/%zz",
		"device 11111 - u@h/%1", "content", "content a b c d",
		"content a b c", "content a b", "content a",
		"content initiator - - %0z n", "device 11111 %4x u@h/a",
		"content %0z - - - n", "content initiator %0z - - n",
		"content initiator - %0z - n", "content initiator - - - %0z",
		"device %0z - u@h/a", "media %0z", "dialed %0z", "ours",
		"ours 1", "ours 1 u", "ours 8 u p", "ours x u p",
		"returned", "his", "his a b", "says n x", "home", "home n 0",
		"content initiator - u p v\nhome v 0",
		"content initiator - u p v 1\nhome v",
		"content initiator - u p v 1\nhome v 8",
		"content initiator - u p v 1\nhome v 1",
		"content initiator - u p v\nhis v",
		"content initiator - u p v\nsays v %0z",
	};
	struct leg l;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&l);
		rc = leg_restore(&l, LEG_CALLEE, LEG_ENDED, 0, NULL, "s",
				 rows[i], 7);
		if (strcmp(rows[i], "dialed %") == 0)
			assert_int_equal(rc, 0);       /* the empty word */
		else if (rc != EBADMSG)
			fail_msg("%s: %d", rows[i], rc);
		leg_clear(&l);
	}
}

static void states_need_their_parts(void **state)
{
	static const struct {
		enum leg_state state;
		const char *device, *sid;
		int want;
	} cells[] = {
		{ LEG_STATES, "u@h/a", "s", EBADMSG },
		{ LEG_ACTIVE, NULL, "s", EBADMSG },
		{ LEG_ACTIVE, "u@h/a", NULL, EBADMSG },
		{ LEG_ACTIVE, "u@h/a", "s", 0 },
		{ LEG_RINGING, NULL, NULL, EBADMSG },
		{ LEG_RINGING, NULL, "s", 0 },
		{ LEG_ENDED, NULL, NULL, 0 },
		{ LEG_IDLE, NULL, NULL, 0 },
	};
	struct leg l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin(&l);
		assert_int_equal(leg_restore(&l, LEG_CALLEE, cells[i].state,
					     0, cells[i].device, cells[i].sid,
					     "device 00000 - u@h/a", 7),
				 cells[i].want);
		leg_clear(&l);
	}
}

static void devices_are_bounded(void **state)
{
	static const char line[] = "device 00000 - u@h/a\n";
	char text[sizeof(line) * (LEG_DEVICES_MAX + 1)] = "";
	struct leg l;
	int i;

	(void)state;
	for (i = 0; i < LEG_DEVICES_MAX + 1; i++)
		strcat(text, line);
	begin(&l);
	assert_int_equal(leg_restore(&l, LEG_CALLEE, LEG_RINGING, 0, NULL,
				     "s", text, 7), EBADMSG);
	leg_clear(&l);
}

/* With a word for each star that becomes three times as long as it is. */
static const char *long_row(struct arena *a, const char *row)
{
	char word[3 * 150 + 1] = "", *line = arena_bytes(a, 8192), *o = line;

	while (strlen(word) < sizeof(word) - 1)
		strcat(word, "%0A");
	for (; *row; row++) {
		if (*row == '*')
			o = stpcpy(o, word);
		else
			*o++ = *row;
	}
	*o = 0;
	return line;
}

/* Its own memory holds all of it, however long names become. */
static void long_names_have_room(void **state)
{
	static const char *const rows[] = {
		"media 0\ndialed *\n",
		"media 0\ndevice 00000 * u@h/a\n",
		"media 0\ndevice 00000 - *\n",
		"media 0\ncontent initiator - * - v\n",
		"media 0\ncontent initiator - - * v\n",
		"media 0\ncontent initiator - - - v 1 active *\n",
		"media 0\ncontent initiator - - - * 1\nhome * 0\nhis * *\n"
		"says * *\n",
		"media 0\nours 0 * p\n",
		"media 0\nours 0 u *\n",
		"media 0\nours 7 u p *\n",
	};
	const char *line, *data;
	struct arena *a;
	struct leg l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = arena_new(0);
		begin(&l);
		line = long_row(a, rows[i]);
		assert_int_equal(leg_restore(&l, LEG_CALLEE, LEG_RINGING, 0,
					     NULL, "s", line, 7), 0);
		data = leg_data(&l, a);
		memset(arena_alloc(a, 64), 'x', 64);
		assert_string_equal(data, line);
		leg_clear(&l);
		arena_free(a);
	}
}

/* The next round has nothing of the one before, and its row neither. */
static void next_round(void **state)
{
	struct arena *a = arena_new(0);
	char *first;
	struct leg l;

	(void)state;
	begin(&l);
	first = leg_data(&l, a);
	assert_int_equal(leg_restore(&l, LEG_CALLER, LEG_ENDED,
				     LEG_FLAG_JMI | LEG_FLAG_GATEWAY |
				     LEG_FLAG_FINISH_DUE, "u@h/a", "sid",
				     every_line, 7), 0);
	leg_reset(&l, LEG_CALLEE, 8);
	assert_string_equal(leg_data(&l, a), first);
	assert_int_equal(leg_flags(&l), LEG_FLAG_GATEWAY);
	leg_clear(&l);
	arena_free(a);
}

static void states_have_names(void **state)
{
	int s;

	(void)state;
	for (s = LEG_IDLE; s < LEG_STATES; s++)
		assert_string_not_equal(leg_state_name((enum leg_state)s),
					"?");
	assert_string_equal(leg_state_name(LEG_STATES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(came_back),
		cmocka_unit_test(empty_row),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(states_need_their_parts),
		cmocka_unit_test(devices_are_bounded),
		cmocka_unit_test(long_names_have_room),
		cmocka_unit_test(next_round),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
