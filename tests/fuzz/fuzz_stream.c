/* fuzz_stream.c: the stream parser and the writer against each other.
 *
 * First byte: how the rest is cut into feeds, and which limits hold. Every cut
 * gives the same outcome, so does expat without token.c, and what is written
 * of a stanza parses to the same tree.
 */
#include "tests/fuzz/fuzz.h"

#define HEADER "<stream:stream xmlns='jabber:component:accept' " \
	"xmlns:stream='http://etherx.jabber.org/streams'>"

static const struct xml_limits small = {
	.bytes = 2000, .depth = 6, .elems = 40, .attrs = 60, .text = 200,
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* A digest of all that the handlers saw. */
struct seen {
	uint64_t sum;
	unsigned calls;
	const char *error;
};

static void add(struct seen *seen, const char *text)
{
	for (; *text; text++)
		seen->sum = (seen->sum ^ (unsigned char)*text) * 1099511628211U;
	seen->sum = (seen->sum ^ 0x100) * 1099511628211U;
	seen->calls++;
}

static void write_and_back(struct seen *seen, struct xml_elem *e)
{
	static const char ns[] = "jabber:component:accept";
	struct arena *a = arena_new(0);
	struct xml_elem *back;
	size_t len;
	char *text;

	check(a != NULL);
	text = xml_write(a, e, ns, &len);
	check(text && strlen(text) == len);
	check(!xml_parse(a, text, len, ns, NULL, &back));
	check(fuzz_same(e, back));
	check(fuzz_same(e, xml_copy(a, e)));
	add(seen, text);
	arena_free(a);
}

static void on_open(const struct xml_elem *header, void *arg)
{
	add(arg, header->name);
}

static void on_stanza(struct xml_elem *e, struct arena *a, void *arg)
{
	check(!arena_failed(a) && !e->next);
	write_and_back(arg, e);
}

static void on_skipped(struct xml_elem *head, struct arena *a,
		       enum xml_limit limit, void *arg)
{
	(void)a;
	check(!head->first && limit != XML_LIMIT_NONE);
	add(arg, xml_limit_name(limit));
	write_and_back(arg, head);
}

static void on_close(void *arg)
{
	add(arg, "close");
}

static const struct xml_stream_handlers handlers = {
	on_open, on_stanza, on_skipped, on_close
};

enum reader { TOKENS, EXPAT };

static int run(struct seen *seen, const uint8_t *data, size_t size,
	       unsigned cut, bool header, bool wide, enum reader reader)
{
	struct xml_stream *s = xml_stream_new(wide ? NULL : &small, &handlers,
					      seen);
	const char *p = (const char *)data;
	unsigned step = cut;
	int r = 0;

	check(s != NULL);
	if (reader == EXPAT)
		xml_stream_by_expat(s);
	if (header)
		r = xml_stream_feed(s, HEADER, strlen(HEADER));
	while (size && !r) {
		size_t n = cut ? 1 + step % 61 : size;

		step = step * 5 + 3;
		n = n < size ? n : size;
		r = xml_stream_feed(s, p, n);
		p += n;
		size -= n;
	}
	check(!r == !xml_stream_error(s));
	seen->error = r ? xml_stream_error(s) : "";
	xml_stream_free(s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = { 0 }, cut = { 0 }, expat = { 0 };
	bool header, wide;
	int r;

	if (!size)
		return 0;
	header = data[0] & 1;
	wide = data[0] & 2;
	r = run(&whole, data + 1, size - 1, 0, header, wide, TOKENS);
	check(run(&expat, data + 1, size - 1, 0, header, wide, EXPAT) == r);
	check(whole.sum == expat.sum && whole.calls == expat.calls &&
	      !strcmp(whole.error, expat.error));
	check(run(&cut, data + 1, size - 1, 1U + data[0], header, wide,
		  TOKENS) == r);
	check(whole.sum == cut.sum && whole.calls == cut.calls);
	return 0;
}
