/* fuzz_tree.c: any text as one XML tree: what is written of it parses to the
 * same tree, writes the same, and so do its copies. First byte: which limits
 * and default namespace.
 */
#include "tests/fuzz/fuzz.h"

static const struct xml_limits small = {
	.bytes = 1000, .depth = 5, .elems = 30, .attrs = 40, .text = 100,
};

static unsigned count(const struct xml_elem *e, unsigned depth)
{
	const struct xml_elem *c;
	unsigned n = 1;

	assert(depth <= 64 && e->name && e->ns);
	for (c = e->first; c; c = c->next) {
		assert(!c->name == !c->ns && !c->name != !c->text);
		assert(c->next || e->last == c);
		n += c->name ? count(c, depth + 1) : 1;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct xml_elem *e, *back;
	struct xml_kept *kept;
	const char *ns, *text;
	size_t len, again;
	int rc;

	if (!size)
		return 0;
	ns = data[0] & 2 ? "" : NS_COMPONENT;
	rc = xml_parse(a, (const char *)data + 1, size - 1, ns,
		       data[0] & 1 ? &small : &xml_limits_default, &e);
	if (rc) {
		assert(rc == EBADMSG || rc == EOVERFLOW);
		return 0;
	}
	count(e, 1);
	text = xml_write(a, e, ns, &len);
	assert(text && strlen(text) == len);
	assert(!xml_parse(a, text, len, ns, NULL, &back));
	assert(fuzz_same(e, back) && fuzz_same(e, xml_copy(a, e)));
	assert(!strcmp(xml_write(a, back, ns, &again), text));
	kept = xml_keep(e, 0);
	assert(kept && fuzz_same(e, kept->elem));
	xml_kept_free(kept);
	return 0;
}
