/* elem.h: an XML element tree in an arena.
 *
 * All strings are NUL-terminated UTF-8. A tree never outlives its arena; what
 * must live longer is copied by xml_keep(). Every function takes NULL for an
 * element (and then does nothing or returns NULL), see arena.h.
 */
#ifndef JINGLE_XML_ELEM_H
#define JINGLE_XML_ELEM_H

#include <stdbool.h>
#include <stddef.h>
#include "jingle/xml/arena.h"

#define NS_XML "http://www.w3.org/XML/1998/namespace"

struct xml_attr {
	struct xml_attr *next;
	const char *ns;            /* NULL: none; NS_XML for xml:lang */
	const char *name;          /* local name */
	const char *value;         /* unescaped */
};

struct xml_elem {
	struct xml_elem *next;     /* next sibling, element or text */
	const char *name;          /* local name; NULL: this is a text node */
	const char *ns;            /* namespace, never NULL in an element */
	union {                    /* no larger for it: peers size trees */
		const char *text;  /* text node: unescaped text */
		bool borrows;      /* element: another has its attrs, too */
	};
	struct xml_attr *attrs;    /* in document order; read only, see
				    * xml_set() */
	struct xml_elem *first;    /* first child */
	struct xml_elem *last;     /* last child: appending is O(1) */
};

/* A new element, without a parent. */
struct xml_elem *xml_new(struct arena *a, const char *ns, const char *name);
/* A new element appended to `parent`; ns NULL: the parent's. */
struct xml_elem *xml_add(struct arena *a, struct xml_elem *parent,
			 const char *ns, const char *name);
/* Appends text to `e`. Text that is not valid XML characters is the
 * writer's affair (replaced by U+FFFD there). */
void xml_add_text(struct arena *a, struct xml_elem *e, const char *text);
/* Sets (replaces) an attribute without namespace; value NULL removes it. */
void xml_set(struct arena *a, struct xml_elem *e, const char *name,
	     const char *value);
void xml_set_ns(struct arena *a, struct xml_elem *e, const char *ns,
		const char *name, const char *value);

/* Attribute without namespace; NULL when absent. */
const char *xml_get(const struct xml_elem *e, const char *name);
const char *xml_get_ns(const struct xml_elem *e, const char *ns,
		       const char *name);

/* First child element with this namespace and name (NULL: any). */
struct xml_elem *xml_child(const struct xml_elem *e, const char *ns,
			   const char *name);
/* Next sibling element after `e`, likewise. */
struct xml_elem *xml_next(const struct xml_elem *e, const char *ns,
			  const char *name);
bool xml_is(const struct xml_elem *e, const char *ns, const char *name);
/* All direct text of `e` as one string, "" when none; NULL only when out of
 * memory. */
const char *xml_text(struct arena *a, const struct xml_elem *e);

/* Appends an existing element (it must have no parent). */
void xml_append(struct xml_elem *parent, struct xml_elem *child);
/* Takes `child` (an element or text) out of `parent`. O(children). */
void xml_remove(struct xml_elem *parent, struct xml_elem *child);
/* A deep copy in `a`, without siblings. Not recursive. */
struct xml_elem *xml_copy(struct arena *a, const struct xml_elem *e);
/* The same with the strings and attributes of `e`, which must live as long as
 * the copy and not be changed meanwhile. */
struct xml_elem *xml_copy_sharing(struct arena *a, const struct xml_elem *e);

/* A deep copy with memory of its own, at most `cap` bytes (0: no cap): what
 * lives past an event. Owner: caller, xml_kept_free(). NULL: no memory. */
struct xml_kept {
	struct arena *arena;
	struct xml_elem *elem;
};
struct xml_kept *xml_keep(const struct xml_elem *e, size_t cap);
void xml_kept_free(struct xml_kept *k);

#endif
