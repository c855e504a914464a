/* disco.c: service discovery (XEP-0030) with forms (XEP-0128), and entity
 * capabilities (XEP-0115).
 */
#include "jingle/stanza/disco.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

#define NS_FORM "jabber:x:data"    /* XEP-0004 */

static void add_field(struct arena *a, struct xml_elem *form, const char *var,
		      const char *type, unsigned n, const char *const *values)
{
	struct xml_elem *f = xml_add(a, form, NULL, "field");

	xml_set(a, f, "var", var);
	xml_set(a, f, "type", type);
	for (unsigned i = 0; i < n; i++)
		xml_add_text(a, xml_add(a, f, NULL, "value"), values[i]);
}

static void add_form(struct arena *a, struct xml_elem *query,
		     const struct disco_form *form)
{
	struct xml_elem *x = xml_add(a, query, NS_FORM, "x");

	xml_set(a, x, "type", "result");
	add_field(a, x, "FORM_TYPE", "hidden", 1, &form->form_type);
	for (unsigned i = 0; i < form->fields; i++)
		add_field(a, x, form->field[i].var, NULL,
			  form->field[i].values, form->field[i].value);
}

struct xml_elem *disco_add_query(struct arena *a, struct xml_elem *iq,
				 const char *ns, const char *node)
{
	struct xml_elem *query = xml_add(a, iq, ns, "query");

	xml_set(a, query, "node", node);
	return query;
}

void disco_add_info(struct arena *a, struct xml_elem *iq,
		    const struct disco_info *info, const char *node)
{
	struct xml_elem *query = disco_add_query(a, iq, NS_DISCO_INFO, node);
	struct xml_elem *e;

	for (unsigned i = 0; i < info->identities; i++) {
		const struct disco_identity *id = &info->identity[i];

		e = xml_add(a, query, NULL, "identity");
		xml_set(a, e, "category", id->category);
		xml_set(a, e, "type", id->type);
		xml_set(a, e, "name", id->name);
		if (id->lang)
			xml_set_ns(a, e, NS_XML, "lang", id->lang);
	}
	for (unsigned i = 0; i < info->features; i++)
		xml_set(a, xml_add(a, query, NULL, "feature"), "var",
			info->feature[i]);
	for (unsigned i = 0; i < info->forms; i++)
		add_form(a, query, &info->form[i]);
}

const struct xml_elem *disco_query(const struct xml_elem *iq, const char *ns,
				   const char **node_r)
{
	const struct xml_elem *query = xml_child(iq, ns, "query");

	if (node_r)
		*node_r = xml_get(query, "node");
	return query;
}

static unsigned count(const struct xml_elem *parent, const char *ns,
		      const char *name)
{
	const struct xml_elem *e = xml_child(parent, ns, name);
	unsigned n = 0;

	for (; e; e = xml_next(e, ns, name))
		n++;
	return n;
}

static int read_identities(struct arena *a, const struct xml_elem *query,
			   struct disco_info *info, struct why *why)
{
	const struct xml_elem *e;
	struct disco_identity *id;
	unsigned n = count(query, NS_DISCO_INFO, "identity");

	if (n > DISCO_IDENTITIES_MAX)
		return why_over(why, "More than 32 identities.");
	id = arena_alloc(a, n * sizeof(*id) + 1);
	if (!id)
		return ENOMEM;
	info->identity = id;
	for (e = xml_child(query, NS_DISCO_INFO, "identity"); e;
	     e = xml_next(e, NS_DISCO_INFO, "identity"), id++) {
		id->category = xml_get(e, "category");
		id->type = xml_get(e, "type");
		id->name = xml_get(e, "name");
		id->lang = xml_get_ns(e, NS_XML, "lang");
		if (text_blank(id->category) || text_blank(id->type))
			return why_bad(why, "<identity/> needs 'category' and "
				       "'type'.");
		info->identities++;
	}
	return 0;
}

static int read_features(struct arena *a, const struct xml_elem *query,
			 struct disco_info *info, struct why *why)
{
	const struct xml_elem *e;
	const char **list;
	unsigned n = count(query, NS_DISCO_INFO, "feature");

	if (n > DISCO_FEATURES_MAX)
		return why_over(why, "More than 512 features.");
	list = arena_alloc(a, n * sizeof(*list) + 1);
	if (!list)
		return ENOMEM;
	info->feature = list;
	for (e = xml_child(query, NS_DISCO_INFO, "feature"); e;
	     e = xml_next(e, NS_DISCO_INFO, "feature")) {
		const char *var = xml_get(e, "var");

		if (text_blank(var))
			return why_bad(why, "<feature/> needs 'var'.");
		list[info->features++] = var;
	}
	return 0;
}

static int read_values(struct arena *a, const struct xml_elem *field,
		       struct disco_field *f, struct why *why)
{
	const struct xml_elem *e;
	const char **list;
	unsigned n = count(field, NS_FORM, "value");

	if (n > DISCO_VALUES_MAX)
		return why_over(why, "More than 32 values in a <field/>.");
	list = arena_alloc(a, n * sizeof(*list) + 1);
	if (!list)
		return ENOMEM;
	f->value = list;
	for (e = xml_child(field, NS_FORM, "value"); e;
	     e = xml_next(e, NS_FORM, "value")) {
		list[f->values] = xml_text(a, e);
		if (!list[f->values++])
			return ENOMEM;
	}
	return 0;
}

/* XEP-0115, 5.4: a FORM_TYPE that is not hidden, or has values that differ,
 * makes the form count for nothing. */
static const char *form_type_of(const struct xml_elem *field,
				const struct disco_field *f)
{
	for (unsigned i = 1; i < f->values; i++)
		if (strcmp(f->value[0], f->value[i]) != 0)
			return NULL;
	if (!f->values || !text_equal(xml_get(field, "type"), "hidden"))
		return NULL;
	return f->value[0];
}

static int read_form(struct arena *a, const struct xml_elem *x,
		     struct disco_form *form, struct why *why)
{
	const struct xml_elem *e;
	struct disco_field *list;
	unsigned n = count(x, NS_FORM, "field");

	if (n > DISCO_FIELDS_MAX)
		return why_over(why, "More than 32 fields in a form.");
	list = arena_alloc(a, n * sizeof(*list) + 1);
	if (!list)
		return ENOMEM;
	form->field = list;
	for (e = xml_child(x, NS_FORM, "field"); e;
	     e = xml_next(e, NS_FORM, "field")) {
		struct disco_field f = { .var = xml_get(e, "var") };
		int err;

		if (text_blank(f.var))
			continue;
		err = read_values(a, e, &f, why);
		if (err)
			return err;
		if (!strcmp(f.var, "FORM_TYPE"))
			form->form_type = form_type_of(e, &f);
		else
			list[form->fields++] = f;
	}
	return 0;
}

static int read_forms(struct arena *a, const struct xml_elem *query,
		      struct disco_info *info, struct why *why)
{
	const struct xml_elem *x;
	struct disco_form *list;
	unsigned n = count(query, NS_FORM, "x");

	if (n > DISCO_FORMS_MAX)
		return why_over(why, "More than 8 forms.");
	list = arena_alloc(a, n * sizeof(*list) + 1);
	if (!list)
		return ENOMEM;
	info->form = list;
	for (x = xml_child(query, NS_FORM, "x"); x;
	     x = xml_next(x, NS_FORM, "x")) {
		struct disco_form form = { 0 };
		int err = read_form(a, x, &form, why);

		if (err)
			return err;
		if (form.form_type)
			list[info->forms++] = form;
	}
	return 0;
}

int disco_parse(struct arena *a, const struct xml_elem *iq,
		struct disco_info *info_r, struct why *why)
{
	const struct xml_elem *query = disco_query(iq, NS_DISCO_INFO, NULL);
	int err;

	memset(info_r, 0, sizeof(*info_r));
	if (!query)
		return ENOENT;
	err = read_identities(a, query, info_r, why);
	if (!err)
		err = read_features(a, query, info_r, why);
	if (!err)
		err = read_forms(a, query, info_r, why);
	return err;
}

bool disco_has_feature(const struct disco_info *info, const char *feature)
{
	for (unsigned i = 0; i < info->features; i++)
		if (!strcmp(info->feature[i], feature))
			return true;
	return false;
}

static bool form_says(const struct disco_form *form, const char *text)
{
	const struct disco_field *f = form->field;

	if (!strcmp(form->form_type, text))
		return true;
	for (; f < form->field + form->fields; f++) {
		if (!strcmp(f->var, text))
			return true;
		for (unsigned i = 0; i < f->values; i++)
			if (!strcmp(f->value[i], text))
				return true;
	}
	return false;
}

bool disco_says(const struct disco_info *info, const char *text)
{
	for (unsigned i = 0; i < info->forms; i++)
		if (form_says(&info->form[i], text))
			return true;
	return disco_has_feature(info, text);
}
