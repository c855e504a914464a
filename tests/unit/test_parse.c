/* test_parse.c: the stream parser: chunking, limits, restricted XML. */
#include "jingle/xml/parse.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/xml/write.h"

#define ACCEPT "jabber:component:accept"
#define HEAD "<?xml version='1.0'?><stream:stream xmlns='" ACCEPT "' " \
	"xmlns:stream='http://etherx.jabber.org/streams' id='s1'>"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Counts memory held, for the whole process; a sanitizer has its own. */
static size_t held, held_most;
#ifndef SANITIZED
void *__libc_malloc(size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_calloc(size_t n, size_t m);
void __libc_free(void *p);

static void *held_add(void *p)
{
	held += p ? malloc_usable_size(p) : 0;
	if (held > held_most)
		held_most = held;
	return p;
}

void *malloc(size_t n)
{
	return held_add(__libc_malloc(n));
}

void *calloc(size_t n, size_t m)
{
	return held_add(__libc_calloc(n, m));
}

void *realloc(void *p, size_t n)
{
	held -= p ? malloc_usable_size(p) : 0;
	return held_add(__libc_realloc(p, n));
}

void free(void *p)
{
	held -= p ? malloc_usable_size(p) : 0;
	__libc_free(p);
}
#endif

/* What the handlers saw, one line per call. */
struct seen {
	char *log;
	size_t len;
	unsigned stanzas, skipped;
	enum xml_limit limit;
	bool quiet;                /* count only */
};

static void note(struct seen *seen, const char *what, const char *text)
{
	size_t n = strlen(what) + strlen(text) + 1;

	if (seen->quiet)
		return;
	seen->log = realloc(seen->log, seen->len + n + 1);
	assert_non_null(seen->log);
	sprintf(seen->log + seen->len, "%s%s\n", what, text);
	seen->len += n;
}

static void note_tree(struct seen *seen, const char *what,
		      const struct xml_elem *e)
{
	struct arena *a = arena_new(0);
	const char *text = xml_write(a, e, ACCEPT, NULL);

	assert_non_null(text);
	note(seen, what, text);
	arena_free(a);
}

static void on_open(const struct xml_elem *header, void *arg)
{
	assert_null(header->first);
	note_tree(arg, "open ", header);
}

static void on_stanza(struct xml_elem *e, struct arena *a, void *arg)
{
	struct seen *seen = arg;

	assert_false(arena_failed(a));
	seen->stanzas++;
	if (!seen->quiet)
		note_tree(seen, "stanza ", e);
}

static void on_skipped(struct xml_elem *head, struct arena *a,
		       enum xml_limit limit, void *arg)
{
	struct seen *seen = arg;

	assert_non_null(a);
	assert_null(head->first);
	assert_int_not_equal(limit, XML_LIMIT_NONE);
	seen->skipped++;
	seen->limit = limit;
	if (seen->quiet)
		return;
	note(seen, "limit ", xml_limit_name(limit));
	note_tree(seen, "skipped ", head);
}

static void on_close(void *arg)
{
	note(arg, "close", "");
}

static const struct xml_stream_handlers handlers = {
	on_open, on_stanza, on_skipped, on_close
};

#define BY_EXPAT SIZE_MAX

/* Feeds `text` in pieces of `chunk` bytes (0: whole; BY_EXPAT: whole, and
 * plain stanzas are not for token.c). */
static int run(struct seen *seen, const struct xml_limits *limits,
	       const char *text, size_t len, size_t chunk, const char **err)
{
	struct xml_stream *s = xml_stream_new(limits, &handlers, seen);
	size_t at, n;
	int r = 0;

	assert_non_null(s);
	if (chunk == BY_EXPAT)
		xml_stream_by_expat(s);
	for (at = 0; at < len && !r; at += n) {
		n = chunk && chunk < len - at ? chunk : len - at;
		r = xml_stream_feed(s, text + at, n);
	}
	if (err)
		*err = xml_stream_error(s);
	if (r)
		assert_int_equal(xml_stream_feed(s, " ", 1), r);
	xml_stream_free(s);
	return r;
}

static void expect_log(const struct xml_limits *limits, const char *text,
		       const char *log)
{
	static const size_t chunks[] = { 0, 1, 2, 3, 7, 100, BY_EXPAT };

	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		struct seen seen = { 0 };

		assert_int_equal(run(&seen, limits, text, strlen(text),
				     chunks[i], NULL), 0);
		assert_string_equal(seen.log, log);
		free(seen.log);
	}
}

static void expect_bad(const char *text, const char *condition)
{
	static const size_t chunks[] = { 0, 1, 2, BY_EXPAT };

	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		struct seen seen = { 0 };
		const char *err;
		int r = run(&seen, NULL, text, strlen(text), chunks[i], &err);

		if (r != EBADMSG || strcmp(err, condition))
			print_error("%s: %d %s\n", text, r, err ? err : "-");
		assert_int_equal(r, EBADMSG);
		assert_string_equal(err, condition);
		free(seen.log);
	}
}

#define OPENED "open <stream xmlns='http://etherx.jabber.org/streams'" \
	" id='s1'/>\n"

static void stream_is_read(void **state)
{
	(void)state;
	expect_log(NULL, HEAD "\n <message a='1' xml:lang='de'>x &amp; &#x41;"
		   "<![CDATA[<]]]]><b xmlns='u:b' /></message >\n<iq/>"
		   "</stream:stream> ignored <",
		   OPENED "stanza <message a='1' xml:lang='de'>x &amp; A"
		   "&lt;]]<b xmlns='u:b'/></message>\nstanza <iq/>\nclose\n");
}

static void namespaces_are_resolved(void **state)
{
	(void)state;
	expect_log(NULL, HEAD "<m xmlns:p='u:p' p:a='1' a='2'><p:x><y/></p:x>"
		   "<x xmlns='u:p'/><z xmlns=''/></m><m xmlns:p='u:q' "
		   "p:a='1'/>",
		   OPENED "stanza <m xmlns:n0='u:p' n0:a='1' a='2'>"
		   "<x xmlns='u:p'><y xmlns='" ACCEPT "'/></x>"
		   "<x xmlns='u:p'/><z xmlns=''/></m>\n"
		   "stanza <m xmlns:n0='u:q' n0:a='1'/>\n");
}

/* parse.h: both sides of a relay look alike; what is forwarded inside a
 * stanza of the component stream stays as it is. */
static void client_becomes_component(void **state)
{
	(void)state;
	expect_log(NULL, HEAD "<m xmlns='jabber:client'><body/>"
		   "<x xmlns='u'><m xmlns='jabber:client'/></x></m>"
		   "<m><x xmlns='jabber:client'/></m>",
		   OPENED "stanza <m><body/><x xmlns='u'><m xmlns='" ACCEPT
		   "'/></x></m>\nstanza <m><x xmlns='jabber:client'/></m>\n");
}

static void restricted_is_refused(void **state)
{
	static const char *const inside[] = {
		"<!DOCTYPE a>", "<!-- c -->", "<?pi x?>",
		"<?xml version='1.0'?>",
		"<m><!-- c --></m>", "<m><?pi?></m>", "<m>&e;</m>",
		"<m a='&e;'/>", "<!ENTITY e 'x'>", "<m><![IGNORE[x]]></m>",
	};
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++) {
		snprintf(text, sizeof(text), "%s%s", HEAD, inside[i]);
		expect_bad(text, "restricted-xml");
	}
	expect_bad("<!DOCTYPE a [<!ENTITY e 'x'>]>", "restricted-xml");
	expect_bad("<?xmz", "restricted-xml");
	expect_bad("<?xmlx version='1.0'?>", "restricted-xml");
}

static void ill_formed_is_refused(void **state)
{
	static const char *const inside[] = {
		"<a></b>", "<a b='1' b='2'/>", "<a b=1/>", "<a><b></a></b>",
		"x",
		"<![CDATA[]]>", "</b>", "<p:a/>", "<a p:b=''/>", "<a:/>",
		"<:a/>", "<a xmlns:p=''/>", "<a xmlns:xml='u'/>",
		"<a xmlns:xmlns='u'/>", "<a xmlns:p='u' p:1='' />",
		"<a xmlns:p='u' p:q:r='' />",
		"<a xmlns='http://www.w3.org/2000/xmlns/'/>",
		"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
		"<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
		"<a>\x01</a>", "<a>\xff</a>", "<a>\xef\xbf\xbe</a>",
		"<a>\xed\xa0\x80</a>", "<a>&#x1f;</a>", "<a>&#xFFFE;</a>",
		"<a xmlns='u\x1fx'/>", "<a xmlns='u&#x1f;x'/>", "< a/>", "<>",
		"<a>]]></a>", "<a b='<'/>",
		"<a\xf2/>", "<a\xf2>x</a>", "<a></a\xf2>",
		"</stream:stream\xf2>", "<xmlns:a/>",
		"<xml:\xc3\xa9/>",
	};
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++) {
		snprintf(text, sizeof(text), "%s%s", HEAD, inside[i]);
		expect_bad(text, "not-well-formed");
	}
	expect_bad("x", "not-well-formed");
	expect_bad("<stream:stream>", "not-well-formed");
	expect_bad("<a/>", "not-well-formed");
	expect_bad("</a>", "not-well-formed");
}

static void nul_and_utf16_are_refused(void **state)
{
	static const char utf16[] = "<\0a\0>\0", nul[] = "<a>\0";
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(run(&seen, NULL, utf16, 6, 0, NULL), EBADMSG);
	assert_int_equal(run(&seen, NULL, nul, 4, 1, NULL), EBADMSG);
	assert_int_equal(run(&seen, NULL, "\xff\xfe<", 3, 1, NULL), EBADMSG);
	free(seen.log);
}

/* A stanza at the limit passes, one over it is skipped, the next one is
 * read. */
static void at_limit(const struct xml_limits *limits, enum xml_limit limit,
		     const char *fits, const char *not)
{
	char text[4000], log[800];

	snprintf(text, sizeof(text), "%s%s</stream:stream>", HEAD, fits);
	snprintf(log, sizeof(log), OPENED "stanza %s\nclose\n", fits);
	expect_log(limits, text, log);
	snprintf(text, sizeof(text), "%s<iq/>%s<iq a='1'/></stream:stream>",
		 HEAD, not);
	snprintf(log, sizeof(log), OPENED "stanza <iq/>\nlimit %s\n"
		 "skipped <m id='1' from='f'/>\nstanza <iq a='1'/>\nclose\n",
		 xml_limit_name(limit));
	expect_log(limits, text, log);
}

#define M "<m id='1' from='f'>"

static void each_limit_holds(void **state)
{
	const struct xml_limits small = { 60, 3, 4, 5, 20 };
	struct xml_limits wide = { 3000, 3, 4, 5, 20 };

	(void)state;
	at_limit(&small, XML_LIMIT_BYTES,
		 M "<a xmlns='12345678901234567'/></m>",
		 M "<a xmlns='12345678901234567'/> 1234567</m>");
	at_limit(&small, XML_LIMIT_BYTES,
		 M "<a xmlns='12345678901234567'/></m>",
		 M "<a>123456789012</a><a>123456789012</a></m>");
	at_limit(&wide, XML_LIMIT_DEPTH, M "<a><b>x</b></a></m>",
		 M "<a><b><c><d></d></c></b></a><b/></m>");
	at_limit(&wide, XML_LIMIT_DEPTH, M "<a><b/></a></m>",
		 M "<a><b><c/></b></a></m>");
	at_limit(&wide, XML_LIMIT_ELEMS, M "<a/><a/><a/></m>",
		 M "<a/><a/><a/><a/><b></b></m>");
	at_limit(&wide, XML_LIMIT_ATTRS, M "<a b='' c='' d=''/></m>",
		 M "<a b='' c='' d=''/><a b='>' c='/>' d=\"'>\"/></m>");
	at_limit(&wide, XML_LIMIT_TEXT, M "12345678901234567890</m>",
		 M "12345678901<![CDATA[>]]></m>");
	at_limit(&wide, XML_LIMIT_TEXT, M "<a b='12345678901234567890'/></m>",
		 M "<a b='123456789012345678901'>x</a></m>");
}

/* Limits hit in the start tag itself: the answer's attributes are kept. */
static void limits_in_start_tag(void **state)
{
	const struct xml_limits l = { 3000, 3, 4, 5, 20 };
	const struct xml_limits none = { 3000, 0, 0, 0, 0 };

	(void)state;
	at_limit(&l, XML_LIMIT_ATTRS, "<m a='' b='' c='' d='' e=''/>",
		 "<m a='' b='' c=''  d='' e='' f='' id = '1' g='' from='f'>"
		 "x</m>");
	at_limit(&l, XML_LIMIT_TEXT, "<m a='12345678901234567890'/>",
		 "<m id='1' a='123456789012345678901' from=\"f\"/>");
	at_limit(&l, XML_LIMIT_TEXT, "<m a='12345678901234567890'/>",
		 "<m a='123456789012345678901' id='1'\n\tfrom=\"f\"><a>"
		 "<b></b></a></m>");
	expect_log(&none, HEAD "<m id='1' to='t'>x<a b=''/></m>", OPENED
		   "limit elements 4000\nskipped <m id='1' to='t'/>\n");
	expect_log(&none, HEAD "<m to='t'/></stream:stream>", OPENED
		   "limit elements 4000\nskipped <m to='t'/>\nclose\n");
	/* The end of what is skipped is found behind tags of every form. */
	expect_log(&none, HEAD "<m id='1'><a b='/></m>' c=\"'>\"/>x<d><e ></e\n"
		   "></d><![CDATA[</m>]]><g  h = '1' /><i></i></m><iq/>", OPENED
		   "limit elements 4000\nskipped <m id='1'/>\nlimit elements "
		   "4000\nskipped <iq/>\n");
}

static char *repeat(const char *before, const char *fmt, unsigned n,
		    const char *after)
{
	size_t size = strlen(before) + strlen(after) + n * (strlen(fmt) + 8);
	char *text = malloc(size + 1), *p = text;

	assert_non_null(text);
	p += sprintf(p, "%s", before);
	for (unsigned i = 0; i < n; i++) {
		const char *f = strstr(fmt, "%u");

		if (!f) {
			p = stpcpy(p, fmt);
			continue;
		}
		p = mempcpy(p, fmt, (size_t)(f - fmt));
		p += sprintf(p, "%u%s", i, f + 2);
	}
	strcpy(p, after);
	return text;
}

static void names_are_bounded(void **state)
{
	static const char from[] = HEAD "<m from='f'>";
	static const struct {
		const char *before, *one;
		unsigned n;
		const char *after;
		unsigned skipped;
	} cases[] = {
		{ from, "<a xmlns='u:%u'/>", 63, "</m>", 0 },
		{ from, "<a xmlns='u:%u'/>", 65, "</m>", 1 },
		{ from, "<a xmlns='u'/>", 1000, "</m>", 0 },
		{ HEAD "<m from='f'><", "a", 256, "/></m>", 0 },
		{ HEAD "<m from='f'><", "a", 257, "/></m>", 1 },
		{ HEAD "<m from='f'><a ", "b", 257, "=''/></m>", 1 },
		{ HEAD "<m from='f' ", "b", 257, "=''/>", 1 },
		{ HEAD "<m from='f' xmlns:a='", "b", 257, "'/>", 1 },
		{ HEAD "<m from='f' ", "a%u='' ", 63, "/>", 0 },
		{ HEAD "<m from='f' ", "a%u='' ", 64, "/>", 1 },
		{ HEAD "<m from='f' ", "xmlns:a%u='u' ", 63, "/>", 0 },
		{ HEAD "<m from='f' ", "xmlns:a%u='u:%' ", 1,
		  "><a0:\xc3\xa9/></m>", 1 },
		{ HEAD "<m from='f' ", "xmlns:a%u='u' ", 63,
		  "a1:b=''><\xc3\xa9 \xc3\xa9=''/></m>", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = repeat(cases[i].before, cases[i].one, cases[i].n,
				    cases[i].after);

		for (size_t chunk = 0; chunk < 2; chunk++) {
			struct seen seen = { 0 };
			int r = run(&seen, NULL, text, strlen(text), chunk,
				    NULL);

			if (r || seen.skipped != cases[i].skipped)
				print_error("case %zu: %s\n", i, seen.log);
			assert_int_equal(r, 0);
			assert_int_equal(seen.skipped, cases[i].skipped);
			if (seen.skipped)
				assert_non_null(strstr(seen.log, "<m from='f'"
						       "/>\n"));
			free(seen.log);
		}
		free(text);
	}
}

/* Parsers are renewed: the stream's namespaces and end tag survive it. */
static void parser_is_renewed(void **state)
{
	struct seen seen = { .quiet = true };
	char one[200], *many;

	(void)state;
	snprintf(one, sizeof(one), "<m>%0150d</m>", 0);
	many = repeat(HEAD, one, 10000, "<iq/></stream:stream>");
	assert_int_equal(run(&seen, NULL, many, strlen(many), 0, NULL), 0);
	assert_int_equal(seen.stanzas, 10001);
	assert_int_equal(run(&seen, NULL, many, strlen(many), 1000, NULL), 0);
	free(many);
	many = repeat(HEAD, one, 10000, "</stream:strean>");
	assert_int_equal(run(&seen, NULL, many, strlen(many), 0, NULL),
			 EBADMSG);
	free(many);
}

#define FULL 524288

/* A hostile stanza: `fmt` repeated up to `size` bytes in all. */
static char *hostile(const char *before, const char *fmt, size_t size,
		     const char *after)
{
	unsigned n = (unsigned)((size - strlen(before) - strlen(after)) /
				(strlen(fmt) + (strstr(fmt, "%u") ? 3 : 0)));

	return repeat(before, fmt, n, after);
}

static const struct {
	const char *name, *before, *one, *after;
} shapes[] = {
	{ "deep", "<m>", "<a>", "" },
	{ "wide", "<m>", "<a/>", "</m>" },
	{ "attributes", "<m ", "b%u='' ", "/>" },
	{ "attributes below", "<m><a ", "b%u='' ", "/></m>" },
	{ "an attribute each", "<m>", "<a b%u=''/>", "</m>" },
	{ "prefixed attributes", "<m xmlns:p='u:p'>", "<a p:b%u=''/>",
	  "</m>" },
	{ "text", "<m>", "0123456789", "</m>" },
	{ "references", "<m>", "&#x3c;", "</m>" },
	{ "reference", "<m>&#", "0", "33;</m>" },
	{ "cdata", "<m>", "<![CDATA[x]]>", "</m>" },
	{ "long cdata", "<m><![CDATA[", "]", "]]></m>" },
	{ "texts", "<m>", "x<a/>", "</m>" },
	{ "value", "<m a='", "x", "'/>" },
	{ "value below", "<m><a b='", "x", "'/></m>" },
	{ "kept value", "<m id='", "x", "'/>" },
	{ "element name", "<m><", "a", "/></m>" },
	{ "attribute name", "<m ", "a", "=''/>" },
	{ "white space", "<m", " ", "/>" },
	{ "white space below", "<m><a", " ", "/></m>" },
	{ "end tag", "<m><a></a", " ", "></m>" },
	{ "namespaces", "<m>", "<a xmlns='urn:x:%u'/>", "</m>" },
	{ "namespace", "<m xmlns:a='", "x", "'/>" },
	{ "prefixes", "<m ", "xmlns:p%u='u' ", "/>" },
	{ "prefixes below", "<m>", "<p:a xmlns:p='urn:x:%u'/>", "</m>" },
	{ "names", "<m>", "<abcdef%u/>", "</m>" },
};

/* Memory held at most while `text` is read, above what the stream holds
 * before it. */
static size_t cost(const char *text, size_t chunk, unsigned *calls_r)
{
	struct seen seen = { .quiet = true };
	struct xml_stream *s = xml_stream_new(NULL, &handlers, &seen);
	size_t len = strlen(text), before, at, n;

	assert_non_null(s);
	assert_int_equal(xml_stream_feed(s, HEAD, strlen(HEAD)), 0);
	before = held;
	held_most = held;
	for (at = 0; at < len; at += n) {
		n = chunk < len - at ? chunk : len - at;
		assert_int_equal(xml_stream_feed(s, text + at, n), 0);
	}
	*calls_r = seen.stanzas + seen.skipped;
	at = held_most - before;
	xml_stream_free(s);
	return at;
}

static void hostile_memory_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		char *text = hostile(shapes[i].before, shapes[i].one, FULL - 8,
				     shapes[i].after);
		unsigned calls;
		size_t most = cost(text, 4096, &calls), len = strlen(text);

		print_message("%-20s %7zu bytes, memory %7zu, %.2f times\n",
			      shapes[i].name, len, most,
			      (double)most / (double)len);
		assert_true(len <= FULL && len > FULL / 2);
		assert_int_equal(calls, i ? 1 : 0);
		assert_true(most <= 4 * len);
		free(text);
	}
}

/* Just below every limit: never more than 4 times the byte limit. */
/* A tree may take 64 KiB and four times its text, whatever came before it and
 * however it is cut. */
static void small_parts_are_bounded(void **state)
{
	static const char *const before[] = {
		"", "\n", "<iq a='1'>&amp;</iq>",
		"<iq a='1'><b c='d'/>x</iq>\n",
	};
	static const char *const tops[] = {
		"<m id='1' from='f'>", "<m id='&amp;' from='f'>",
	};
	static const size_t chunks[] = { 0, 1, 7, 100, BY_EXPAT };
	static char text[20000];

	(void)state;
	for (size_t i = 0; i < 2 * 4 * 5 * 2; i++) {
		unsigned parts = i % 2 ? 1500 : 1300;
		struct seen seen = { .quiet = true };
		char *p = stpcpy(stpcpy(text, HEAD), before[i / 2 % 4]);

		p = stpcpy(p, before[i / 2 % 4]);
		p = stpcpy(p, tops[i / 40]);
		while (parts--)
			p = stpcpy(p, "<a/>");
		p = stpcpy(p, "</m>");
		assert_int_equal(run(&seen, NULL, text, (size_t)(p - text),
				     chunks[i / 8 % 5], NULL), 0);
		assert_int_equal(seen.skipped, i % 2);
		if (seen.skipped)
			assert_int_equal(seen.limit, XML_LIMIT_MEMORY);
	}
}

static void legal_memory_is_bounded(void **state)
{
	static const struct {
		const char *before, *one;
		unsigned n;
		const char *after;
	} full[] = {
		{ "<m>", "<a/>", 3999, "</m>" },
		{ "<m>", "<a b%u='' c='' d='' e=''/>", 3999, "</m>" },
		{ "<m>", "0", 131072, "</m>" },
		{ "<m a='", "0", 131072, "'/>" },
		{ "<m>", "<abcdefghi%u jklm='0123456789' nopqrst='0123456789'"
		  " uvwxyzabcd='012345678901234567890123456789'/>", 3999,
		  "</m>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(full) / sizeof(*full); i++) {
		char *text = repeat(full[i].before, full[i].one, full[i].n,
				    full[i].after);
		unsigned calls;
		size_t most = cost(text, 65536, &calls), len = strlen(text);

		print_message("legal %zu %7zu bytes, memory %7zu, %.2f times"
			      "\n", i, len, most, (double)most / (double)len);
		assert_int_equal(calls, 1);
		assert_true(len <= FULL && most <= 4 * FULL);
		free(text);
	}
}

/* A name that is new to expat is kept by expat: not for ever. */
static void new_names_do_not_pile_up(void **state)
{
	char *text = repeat("", "<m><abcdefghijkl%u/></m>", 100000, "");
	unsigned calls;

	(void)state;
	assert_true(cost(text, 65536, &calls) < 4 * FULL);
	assert_int_equal(calls, 100000);
	free(text);
}

static void one_text_is_parsed(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "<a/>", 0 }, { " <?xml version='1.0'?><a/>", EBADMSG },
		{ "<?xml version='1.0'?>\n<a>x</a>\n", 0 }, { "", EBADMSG },
		{ "<a>", EBADMSG }, { "<a/><", EBADMSG },
		{ "<a/><b/>", EBADMSG }, { "<a/>x", EBADMSG },
		{ "<a></a></a>", EBADMSG }, { "<a", EBADMSG },
		{ "<a><b><c/></b></a>", EOVERFLOW }, { " ", EBADMSG },
		{ "<a><b><c>", EOVERFLOW }, { "<a b='1' b='2'/>", EBADMSG },
	};
	const struct xml_limits l = { 1000, 2, 10, 10, 100 };
	struct arena *a = arena_new(0);
	struct xml_elem *e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int r = xml_parse(a, cases[i].text, strlen(cases[i].text),
				  "u:d", &l, &e);

		if (r != cases[i].r)
			print_error("%s: %d\n", cases[i].text, r);
		assert_int_equal(r, cases[i].r);
		assert_true(!e == !!r);
		if (!r)
			assert_true(xml_is(e, "u:d", "a"));
	}
	assert_int_equal(xml_parse(a, "<a/>", 4, NULL, NULL, &e), 0);
	assert_string_equal(e->ns, "");
	assert_int_equal(xml_parse(a, "<a><b xmlns=''/></a>", 20,
				   "jabber:client", NULL, &e), 0);
	assert_true(xml_is(e, "jabber:client", "a"));
	assert_true(xml_is(xml_child(e, "", "b"), "", "b"));
	arena_free(a);
}

static void arena_cap_is_told(void **state)
{
	struct arena *a = arena_new(100);
	struct xml_elem *e;

	(void)state;
	assert_int_equal(xml_parse(a, "<a><b/><c/></a>", 15, "", NULL, &e),
			 ENOMEM);
	assert_null(e);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_is_read),
		cmocka_unit_test(namespaces_are_resolved),
		cmocka_unit_test(client_becomes_component),
		cmocka_unit_test(restricted_is_refused),
		cmocka_unit_test(ill_formed_is_refused),
		cmocka_unit_test(nul_and_utf16_are_refused),
		cmocka_unit_test(each_limit_holds),
		cmocka_unit_test(limits_in_start_tag),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(parser_is_renewed),
		cmocka_unit_test(hostile_memory_is_bounded),
		cmocka_unit_test(small_parts_are_bounded),
		cmocka_unit_test(legal_memory_is_bounded),
		cmocka_unit_test(new_names_do_not_pile_up),
		cmocka_unit_test(one_text_is_parsed),
		cmocka_unit_test(arena_cap_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
