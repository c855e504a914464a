/* source.c: sources of a description (XEP-0339) and grouping of contents
 * (XEP-0338).
 */
#include "jingle/stanza/source.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/jingle.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

static unsigned count(const struct xml_elem *e, const char *ns,
		      const char *name)
{
	const struct xml_elem *c = xml_child(e, ns, name);
	unsigned n = 0;

	for (; c; c = xml_next(c, ns, name))
		n++;
	return n;
}

/* Sources of simulcast layers may have a rid and no SSRC; those are relayed
 * and not listed. */
static bool has_only_rid(const struct xml_elem *e)
{
	return !xml_get(e, "ssrc") && !text_blank(xml_get(e, "rid"));
}

static int read_ssrc(const struct xml_elem *e, uint32_t *ssrc_r,
		     struct why *why)
{
	if (text_number(xml_get(e, "ssrc"), UINT32_MAX, ssrc_r))
		return why_bad(why, "<source/> needs 'ssrc', a 32-bit "
			       "number.");
	return 0;
}

static int read_parameters(struct arena *a, const struct xml_elem *e,
			   struct source *s, struct why *why)
{
	unsigned n = count(e, NS_SSMA, "parameter");

	if (n > SOURCE_PARAMETERS_MAX)
		return why_over(why, "More than 32 parameters in a "
				"<source/>.");
	s->parameter = arena_alloc(a, n * sizeof(*s->parameter) + 1);
	if (!s->parameter)
		return ENOMEM;
	for (e = xml_child(e, NS_SSMA, "parameter"); e;
	     e = xml_next(e, NS_SSMA, "parameter")) {
		struct source_parameter *p = &s->parameter[s->parameters++];

		p->name = xml_get(e, "name");
		p->value = xml_get(e, "value");
		if (text_blank(p->name))
			return why_bad(why, "<parameter/> of a <source/> "
				       "needs 'name'.");
	}
	return 0;
}

static int read_sources(struct arena *a, const struct xml_elem *description,
			struct source_list *l, struct why *why)
{
	const struct xml_elem *e;
	unsigned n = count(description, NS_SSMA, "source");

	if (n > SOURCES_MAX)
		return why_over(why, "More than 128 sources in a "
				"<description/>.");
	l->source = arena_alloc(a, n * sizeof(*l->source) + 1);
	if (!l->source)
		return ENOMEM;
	for (e = xml_child(description, NS_SSMA, "source"); e;
	     e = xml_next(e, NS_SSMA, "source")) {
		struct source *s = &l->source[l->sources];
		int err;

		if (has_only_rid(e))
			continue;
		err = read_ssrc(e, &s->ssrc, why);
		if (!err)
			err = read_parameters(a, e, s, why);
		if (err)
			return err;
		for (unsigned i = 0; i < l->sources; i++)
			if (l->source[i].ssrc == s->ssrc)
				return why_bad(why, "Two <source/> have the "
					       "same 'ssrc'.");
		l->sources++;
	}
	return 0;
}

static int read_source_group(struct arena *a, const struct xml_elem *e,
			     struct source_group *g, struct why *why)
{
	unsigned n = count(e, NS_SSMA, "source");

	g->semantics = xml_get(e, "semantics");
	if (text_blank(g->semantics))
		return why_bad(why, "<ssrc-group/> needs 'semantics'.");
	if (n > SOURCE_GROUP_SSRCS_MAX)
		return why_over(why, "More than 32 sources in a "
				"<ssrc-group/>.");
	g->ssrc = arena_alloc(a, n * sizeof(*g->ssrc) + 1);
	if (!g->ssrc)
		return ENOMEM;
	for (e = xml_child(e, NS_SSMA, "source"); e;
	     e = xml_next(e, NS_SSMA, "source")) {
		int err;

		if (has_only_rid(e))
			continue;
		err = read_ssrc(e, &g->ssrc[g->ssrcs], why);
		if (err)
			return err;
		for (unsigned i = 0; i < g->ssrcs; i++)
			if (g->ssrc[i] == g->ssrc[g->ssrcs])
				return why_bad(why, "A <ssrc-group/> has an "
					       "'ssrc' twice.");
		g->ssrcs++;
	}
	return 0;
}

static int read_source_groups(struct arena *a,
			      const struct xml_elem *description,
			      struct source_list *l, struct why *why)
{
	const struct xml_elem *e;
	unsigned n = count(description, NS_SSMA, "ssrc-group");

	if (n > SOURCE_GROUPS_MAX)
		return why_over(why, "More than 64 <ssrc-group/>.");
	l->group = arena_alloc(a, n * sizeof(*l->group) + 1);
	if (!l->group)
		return ENOMEM;
	for (e = xml_child(description, NS_SSMA, "ssrc-group"); e;
	     e = xml_next(e, NS_SSMA, "ssrc-group")) {
		int err = read_source_group(a, e, &l->group[l->groups], why);

		if (err)
			return err;
		l->groups++;
	}
	return 0;
}

int source_parse(struct arena *a, const struct xml_elem *description,
		 struct source_list *l_r, struct why *why)
{
	int err;

	memset(l_r, 0, sizeof(*l_r));
	err = read_sources(a, description, l_r, why);
	if (!err)
		err = read_source_groups(a, description, l_r, why);
	return err;
}

static int read_group(const struct xml_elem *e, struct content_group *g,
		      struct why *why)
{
	g->semantics = xml_get(e, "semantics");
	if (text_blank(g->semantics))
		return why_bad(why, "<group/> needs 'semantics'.");
	for (e = xml_child(e, NS_GROUPING, "content"); e;
	     e = xml_next(e, NS_GROUPING, "content")) {
		const char *name = xml_get(e, "name");

		if (text_blank(name))
			return why_bad(why, "<content/> of a <group/> needs "
				       "'name'.");
		if (strlen(name) > JINGLE_NAME_MAX)
			return why_over(why, "A 'name' in a <group/> is "
					"longer than 64 bytes.");
		if (g->names == GROUP_NAMES_MAX)
			return why_over(why, "More than 16 contents in a "
					"<group/>.");
		for (unsigned i = 0; i < g->names; i++)
			if (!strcmp(g->name[i], name))
				return why_bad(why, "A <group/> has a content "
					       "twice.");
		g->name[g->names++] = name;
	}
	if (!g->names)
		return why_bad(why, "<group/> needs a <content/>.");
	return 0;
}

int group_parse(struct arena *a, const struct xml_elem *jingle,
		struct content_group **groups_r, unsigned *n_r,
		struct why *why)
{
	const struct xml_elem *e = xml_child(jingle, NS_GROUPING, "group");
	unsigned n = count(jingle, NS_GROUPING, "group");

	*groups_r = NULL;
	*n_r = 0;
	if (n > GROUPS_MAX)
		return why_over(why, "More than 16 groups.");
	if (!n)
		return 0;
	*groups_r = arena_alloc(a, n * sizeof(**groups_r));
	if (!*groups_r)
		return ENOMEM;
	for (; e; e = xml_next(e, NS_GROUPING, "group")) {
		int err = read_group(e, &(*groups_r)[*n_r], why);

		if (err)
			return err;
		(*n_r)++;
	}
	return 0;
}
