/* stanza_test.h: what the tests of the codecs share: trees from text, the
 * recorded stanzas, and every way to break a tree in one place.
 */
#ifndef TESTS_UNIT_STANZA_TEST_H
#define TESTS_UNIT_STANZA_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/stanza.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"

static inline struct xml_elem *tree(struct arena *a, const char *text)
{
	struct xml_elem *e = NULL;

	assert_int_equal(xml_parse(a, text, strlen(text), NS_COMPONENT,
				   &xml_limits_default, &e), 0);
	assert_non_null(e);
	return e;
}

static inline void assert_xml(struct arena *a, const struct xml_elem *e,
			      const char *want)
{
	const char *text = xml_write(a, e, NS_COMPONENT, NULL);

	assert_non_null(text);
	assert_string_equal(text, want);
}

/* Calls stanza_h with each line of a file of tests/data/stanza. */
static inline unsigned each_stanza(const char *name,
				   void (*stanza_h)(struct arena *a,
						    struct xml_elem *e))
{
	static char line[128 * 1024];
	char path[512];
	const char *srcdir = getenv("srcdir");
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/data/stanza/%s",
		 srcdir ? srcdir : ".", name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct arena *a = arena_new(0);

		if (strspn(line, " \r\n") == strlen(line)) {
			arena_free(a);
			continue;
		}
		stanza_h(a, tree(a, line));
		arena_free(a);
		n++;
	}
	fclose(f);
	return n;
}

/* One way to break a tree. */
enum mutation { CUT_ATTR, BLANK_ATTR, EMPTY_ATTR, LONG_ATTR, CUT_ELEM,
		DOUBLE_ELEM, EMPTY_ELEM, MUTATIONS };

struct mutant {
	const char *elem, *attr;   /* what was broken; attr NULL: the elem */
};

static inline const char *long_text(struct arena *a)
{
	char *s = arena_alloc(a, 5001);

	memset(s, 'x', 5000);
	return s;
}

static inline void mutate_attr(struct arena *a, struct xml_elem *e,
			       struct xml_attr *at, enum mutation m)
{
	struct xml_attr **p = &e->attrs;

	switch (m) {
	case BLANK_ATTR:
		at->value = " \t\n ";
		break;
	case EMPTY_ATTR:
		at->value = "";
		break;
	case LONG_ATTR:
		at->value = long_text(a);
		break;
	default:
		while (*p != at)
			p = &(*p)->next;
		*p = at->next;
	}
}

static inline void mutate_elem(struct arena *a, struct xml_elem *parent,
			       struct xml_elem *e, enum mutation m)
{
	if (m == CUT_ELEM) {
		xml_remove(parent, e);
	} else if (m == DOUBLE_ELEM) {
		xml_append(parent, xml_copy(a, e));
	} else {
		e->attrs = NULL;
		while (e->first)
			xml_remove(e, e->first);
	}
}

/* Breaks the n-th place (in document order) below and in `e`. False when
 * there are fewer. */
static inline bool mutate(struct arena *a, struct xml_elem *parent,
			  struct xml_elem *e, enum mutation m, unsigned *n,
			  struct mutant *what)
{
	struct xml_elem *c, *next;

	if (m < CUT_ELEM) {
		for (struct xml_attr *at = e->attrs; at; at = at->next) {
			if ((*n)--)
				continue;
			*what = (struct mutant){ e->name, at->name };
			mutate_attr(a, e, at, m);
			return true;
		}
	} else if (!(*n)--) {
		*what = (struct mutant){ e->name, NULL };
		mutate_elem(a, parent, e, m);
		return true;
	}
	for (c = e->first; c; c = next) {
		next = c->next;
		if (c->name && mutate(a, e, c, m, n, what))
			return true;
	}
	return false;
}

#endif
