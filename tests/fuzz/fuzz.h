/* fuzz.h: what the fuzz targets share: one arena for all runs, so that a run
 * costs little, XML from the input, trees compared, refusals checked.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#undef NDEBUG                      /* its asserts are the test */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/why.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Freed memory is kept from reuse for a run or two, not for thousands: new
 * pages cost more than what is run. */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4:thread_local_quarantine_size_kb=64:"
	       "malloc_context_size=8";
}

/* Empty at the start of each run; kept, so that it is no leak. */
static inline struct arena *fuzz_arena(void)
{
	static struct arena *a;

	if (!a)
		a = arena_new(0);
	else
		arena_reset(a);
	assert(a);
	return a;
}

/* NULL: no tree within the limits. */
static inline struct xml_elem *fuzz_xml(struct arena *a, const uint8_t *data,
					size_t size)
{
	struct xml_elem *e = NULL;

	if (xml_parse(a, (const char *)data, size, NS_COMPONENT,
		      &xml_limits_default, &e))
		return NULL;
	return e;
}

/* A refusal says why; ENOENT: it is something else. */
static inline void fuzz_err(int err, const struct why *why)
{
	if (!err || err == ENOENT)
		return;
	assert(err == EBADMSG || err == EOVERFLOW);
	assert(why->type && why->condition && why->text);
}

static inline bool fuzz_same_text(const char *x, const char *y)
{
	return !x == !y && (!x || !strcmp(x, y));
}

static inline bool fuzz_same_node(const struct xml_elem *x,
				  const struct xml_elem *y)
{
	const struct xml_attr *p = x->attrs, *q = y->attrs;

	if (!fuzz_same_text(x->name, y->name) ||
	    !fuzz_same_text(x->ns, y->ns) ||
	    !fuzz_same_text(x->text, y->text) || !x->first != !y->first ||
	    !x->next != !y->next)
		return false;
	for (; p && q; p = p->next, q = q->next)
		if (!fuzz_same_text(p->ns, q->ns) ||
		    strcmp(p->name, q->name) || strcmp(p->value, q->value))
			return false;
	return !p && !q;
}

/* Limits bound the depth, so a test may recurse. */
static inline bool fuzz_same(const struct xml_elem *x,
			     const struct xml_elem *y)
{
	for (; x && y; x = x->next, y = y->next)
		if (!fuzz_same_node(x, y) || !fuzz_same(x->first, y->first))
			return false;
	return !x && !y;
}

/* Runs check_h on the element the input is, or on each that is in an <all/>, so
 * that a kept input can hold many. None is changed by that. */
static inline void fuzz_each(const uint8_t *data, size_t size,
			     void (*check_h)(struct arena *a,
					     struct xml_elem *e))
{
	struct arena *a = fuzz_arena();
	struct xml_elem *e = fuzz_xml(a, data, size), *part;
	const struct xml_elem *before;
	bool all;

	if (!e)
		return;
	before = xml_copy(a, e);
	all = !strcmp(e->name, "all");
	if (all)
		before = before->first;
	for (part = all ? e->first : e; part; part = part->next) {
		if (part->name)
			check_h(a, part);
		assert(fuzz_same_node(part, before));
		assert(fuzz_same(part->first, before->first));
		before = before->next;
	}
}

#endif
