/* test_token.c: what is plain is read, all else is left to expat. */
#include "jingle/xml/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void add(char *to, const char *s, size_t n)
{
	strncat(to, s, n);
	strcat(to, "|");
}

/* Reads from a copy that ends where the text does, for a sanitizer to see. The
 * tokens go to `log`, each with what it is; returns the bytes read, or -1. */
static int tokens(const char *text, char log[1024])
{
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);
	struct xml_tokens t;
	enum xml_token what;
	int read;

	assert_non_null(copy);
	memcpy(copy, text, n);
	xml_tokens_init(&t, copy, n);
	*log = '\0';
	while ((what = xml_tokens_next(&t)) < XML_TOKEN_DONE) {
		if (what == XML_TOKEN_TEXT) {
			strcat(log, "=");
			add(log, t.text, t.len);
		} else if (what == XML_TOKEN_END) {
			strcat(log, ">");
		} else {
			strcat(log, t.empty ? "<>" : "<");
			add(log, t.tag.name.s, t.tag.name.len);
		}
		for (unsigned i = 0; !what && i < t.tag.count; i++) {
			const struct xml_pair *a = &t.tag.attrs[i];

			add(log, a->name.s + a->name.colon,
			    a->name.len - a->name.colon);
			add(log, a->value, a->len);
		}
	}
	read = what == XML_TOKEN_DONE ? (int)(t.p - copy) : -1;
	free(copy);
	return read;
}

static void plain_is_read(void **state)
{
	char log[1024];

	(void)state;
	assert_int_equal(tokens("<a/><b/>", log), 4);
	assert_string_equal(log, "<>a|");
	assert_int_equal(tokens("<iq id='1' to=\"a@b/c\"><p:q p:r='' x.y-z_0="
				"'/=>'/></iq>rest", log), -1);
	assert_int_equal(tokens("<iq id='1' to=\"a@b/c\"><p:q p:r='' x.y-z_0="
				"'/='/>text of more than sixteen bytes<z></z>"
				"</iq>rest", log), 91);
	assert_string_equal(log, "<iq|id|1|to|a@b/c|<>p:q|:r||x.y-z_0|/=|"
			    "=text of more than sixteen bytes|<z|>>");
}

static void the_rest_is_odd(void **state)
{
	static const char *const texts[] = {
		"", "<", "<a", "<a ", "<a b", "<a b=", "<a b='", "<a b='c",
		"<a b='c'", "<a/", "<a>", "<a>b", "<a><", "<a></", "<a></a",
		"<a><b></a></b>", "<a></ab>", "<ab></a>", "<a></A>",
		"x<a/>", " <a/>", "</a>", "<a/ >", "<a />", "<a ></a>",
		"<a></a >", "<a  b=''/>", "<a\tb=''/>", "<a\nb=''/>",
		"<a b =''/>", "<a b= ''/>", "<a b=c/>", "<a b/>",
		"<a b=''c=''/>", "<a b='' b=''/>", "<a b='' c='' b=\"\"/>",
		"<a p:b='' p:b=''/>",
		"<a b='&amp;'/>", "<a b='<'/>", "<a b='>'/>", "<a b='\"'/>",
		"<a b=\"'\"/>", "<a b='\t'/>", "<a b='\x7f'/>",
		"<a b='\xc3\xa9'/>", "<a b='long enough for a step &'/>",
		"<a b='long enough for & a step'/>",
		"<a>&lt;</a>", "<a>]]></a>", "<a>\n</a>", "<a>\r</a>",
		"<a>\x01</a>", "<a>\xc3\xa9</a>", "<a>'</a>",
		"<a><!-- --></a>", "<a><![CDATA[b]]></a>", "<a><?b?></a>",
		"<!DOCTYPE a>", "<?xml version='1.0'?><a/>",
		"<1/>", "<-/>", "<./>", "<:/>", "<:a/>", "<a:/>", "<a:b:c/>",
		"<a:1/>", "<a 1=''/>", "<a :b=''/>", "<a b:=''/>",
		"<a b:c:d=''/>", "<\xc3\xa9/>", "<a\xc3\xa9/>", "<a,/>", "<//>",
		"<a/b/>", "<a></a/>",
	};
	char log[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (tokens(texts[i], log) >= 0)
			print_error("%s\n", texts[i]);
		assert_int_equal(tokens(texts[i], log), -1);
	}
}

/* `n` times `what`. */
static char *repeated(const char *what, size_t n)
{
	char *text = calloc(n, strlen(what) + 1), *p = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, what);
	return text;
}

static bool plain(const char *before, const char *part, const char *after)
{
	char text[4096];
	struct xml_tokens t;
	enum xml_token what;
	int n = snprintf(text, sizeof(text), "%s%s%s", before, part, after);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	xml_tokens_init(&t, text, (size_t)n);
	do
		what = xml_tokens_next(&t);
	while (what < XML_TOKEN_DONE);
	return what == XML_TOKEN_DONE;
}

static void limits_hold(void **state)
{
	char *names[] = { repeated("n", 256), repeated("n", 257) };
	char *open = repeated("<a>", 64), *close = repeated("</a>", 64);
	char text[2000] = "";

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(plain("<", names[i], "/>"), !i);
		assert_int_equal(plain("<a ", names[i], "=''/>"), !i);
		free(names[i]);
	}
	assert_true(plain(open, "", close));
	assert_false(plain(open, "<a></a>", close));
	free(open);
	free(close);
	for (unsigned i = 0; i < 65; i++) {
		assert_true(plain("<a", text, "/>"));
		sprintf(text + strlen(text), " b%u='%u'", i, i);
	}
	assert_false(plain("<a", text, "/>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_is_read),
		cmocka_unit_test(the_rest_is_odd),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
