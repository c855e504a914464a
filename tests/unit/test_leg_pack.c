/* test_leg_pack.c: descriptions that are kept small come back as they were:
 * those of real clients, each word, and any mixture of them.
 */
#include "tests/unit/leg_test.h"
#include "jingle/session/leg_private.h"

#define SEED 20261127
#define WORDS UINT32_C(0x131adbe6) /* FNV-1a of them all */

/* All words of leg_pack.c, by their byte, as it unpacks them. */
static void words(struct arena *a, const char *text[' '])
{
	unsigned i;

	for (i = 1; i < ' '; i++) {
		const char byte[2] = { (char)i, 0 };

		text[i] = leg_unpack(a, byte);
		assert_non_null(text[i]);
	}
}

static void assert_back(struct arena *a, const char *text)
{
	const char *packed = leg_pack(a, text);

	assert_non_null(packed);
	assert_true(strlen(packed) <= strlen(text));
	assert_int_equal(leg_unpacked_len(packed), strlen(text));
	assert_string_equal(leg_unpack(a, packed), text);
}

/* A recorded <jingle/>, without its indentation. */
static struct xml_elem *recorded(struct arena *a, const char *name)
{
	const char *top = getenv("top_srcdir");
	struct xml_elem *e = NULL;
	char path[512], *text = arena_bytes(a, 65536), *o = text;
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "%s/tests/e2e/data/%s", top ? top : ".",
		 name);
	f = fopen(path, "r");
	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		if (c != '\n' && c != '\t')
			*o++ = (char)c;
	fclose(f);
	assert_int_equal(xml_parse(a, text, (size_t)(o - text), NS_COMPONENT,
				   &xml_limits_default, &e), 0);
	return e;
}

/* What each user says, as it is kept: a browser's in a fifth. */
static void test_clients(void **state)
{
	static const struct {
		const char *name;
		size_t part;
	} files[] = {
		{ "browser.offer.xml", 5 }, { "browser.answer.xml", 5 },
		{ "webrtc.offer.xml", 3 }, { "webrtc.answer.xml", 3 },
		{ "dino.offer.xml", 1 }, { "dino.answer.xml", 1 },
	};
	size_t i, all, packed;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct arena *a = arena_new(0);
		struct xml_elem *e = recorded(a, files[i].name), *c;
		const char *text;

		all = packed = 0;
		for (c = xml_child(e, NS_JINGLE, "content"); c;
		     c = xml_next(c, NS_JINGLE, "content")) {
			leg_filter(c);
			text = xml_write(a, xml_child(c, NS_RTP,
						      "description"),
					 NS_RTP, NULL);
			assert_back(a, text);
			all += strlen(text);
			packed += strlen(leg_pack(a, text));
		}
		assert_true(packed > 0 && packed * files[i].part < all);
		arena_free(a);
	}
}

/* Each is what its byte stands for, and nothing is longer: no two words are
 * one. */
static void test_each_word(void **state)
{
	struct arena *a = arena_new(0);
	const char *text[' '] = { NULL };
	unsigned i, n = 0;

	(void)state;
	words(a, text);
	for (i = 1; i < ' '; i++) {
		const char *packed = leg_pack(a, text[i]);

		if (strlen(text[i]) == 1) {
			assert_int_equal(text[i][0], (char)i);
			continue;
		}
		n++;
		assert_int_equal(strlen(packed), 1);
		assert_int_equal(packed[0], (char)i);
	}
	assert_int_equal(n, 28);
	assert_string_equal(leg_unpack(a, "\t\n\r"), "\t\n\r");
	arena_free(a);
}

/* Whatever was in the memory before, or comes behind. */
static void test_ends(void **state)
{
	static const char *const texts[] = { "", "none of them", "<rtcp-mux/>"
		"<rtcp-reduced-size/>and", "</payload-type>" };
	struct arena *a = arena_new(0);
	const char *packed, *text;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(arena_bytes(a, 500), 'x', 500);
		arena_reset(a);
		packed = leg_pack(a, texts[i]);
		*arena_bytes(a, 1) = 'x';
		text = leg_unpack(a, packed);
		*arena_bytes(a, 1) = 'x';
		assert_string_equal(text, texts[i]);
	}
	arena_free(a);
}

/* Rows that were stored with these words are read with these words. */
static void test_words_stay(void **state)
{
	struct arena *a = arena_new(0);
	const char *text[' '] = { NULL }, *s;
	uint32_t h = 2166136261u;
	unsigned i;

	(void)state;
	words(a, text);
	for (i = 1; i < ' '; i++)
		for (s = text[i]; *s; s++)
			h = (h ^ (unsigned char)*s) * 16777619u;
	assert_int_equal(h, WORDS);
	arena_free(a);
}

/* Words whole and cut, and other text between them. */
static void test_mixtures(void **state)
{
	uint32_t random = SEED;
	unsigned n, k;

	(void)state;
	for (n = 0; n < 2000; n++) {
		struct arena *a = arena_new(0);
		const char *text[' '] = { NULL };
		char all[4096] = "";
		size_t len = 0;

		words(a, text);
		for (k = 0; k < 12; k++) {
			const char *word;
			size_t take;

			random = random * 1664525 + 1013904223;
			word = text[1 + (random >> 8) % 31];
			take = strlen(word);
			if (random >> 30 == 0)
				take = (random >> 16) % take;
			memcpy(all + len, word, take);
			len += take;
			if (random >> 30 == 1)
				len += (size_t)sprintf(all + len, "\xc3\xa9%u",
						       random & 255);
		}
		all[len] = 0;
		assert_back(a, all);
		arena_free(a);
	}
}

/* The rows of before have it as it was said. */
static void test_never_packed(void **state)
{
	struct arena *a = arena_new(0);
	const char *text = "<description media='audio'/>";

	(void)state;
	assert_string_equal(leg_unpack(a, text), text);
	assert_string_equal(leg_unpack(a, ""), "");
	assert_string_equal(leg_pack(a, ""), "");
	arena_free(a);
}

/* What cannot be packed, and its end, are in memory of their own. */
static void test_has_room(void **state)
{
	struct arena *a = arena_new(0);
	const char *packed = leg_pack(a, "~~~~");
	char *more = arena_bytes(a, 1);

	(void)state;
	assert_non_null(more);
	*more = 'x';
	assert_string_equal(packed, "~~~~");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_each_word),
		cmocka_unit_test(test_words_stay),
		cmocka_unit_test(test_mixtures),
		cmocka_unit_test(test_never_packed),
		cmocka_unit_test(test_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
