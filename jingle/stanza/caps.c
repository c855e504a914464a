/* caps.c: entity capabilities (XEP-0115): <c/> and its verification string.
 * Its prototypes are in disco.h, whose tables it reads.
 */
#include "jingle/stanza/disco.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/sha1.h"
#include "jingle/stanza/text.h"

/* One with the sign that ends it could be read as two: EBADMSG. */
static int put(struct sha1_state *s, const char *text)
{
	sha1_add(s, text, strlen(text));
	sha1_add(s, "<", 1);
	return strchr(text, '<') ? EBADMSG : 0;
}

static int compare_texts(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int compare_fields(const void *x, const void *y)
{
	const struct disco_field *a = x, *b = y;

	return strcmp(a->var, b->var);
}

static int compare_forms(const void *x, const void *y)
{
	const struct disco_form *a = x, *b = y;

	return strcmp(a->form_type, b->form_type);
}

/* A sorted copy of an array. NULL: no memory. */
static void *sorted(struct arena *a, const void *list, size_t n, size_t size,
		    int (*compare)(const void *, const void *))
{
	void *copy = arena_alloc(a, n * size + 1);

	if (copy && n) {
		memcpy(copy, list, n * size);
		qsort(copy, n, size, compare);
	}
	return copy;
}

/* Hashes sorted texts, each ended by '<'. EBADMSG: one is there twice and
 * must not be. */
static int put_texts(struct arena *a, struct sha1_state *s,
		     const char *const *list, unsigned n, bool unique)
{
	const char **copy = sorted(a, list, n, sizeof(*list), compare_texts);

	if (!copy)
		return ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		if (unique && i && !strcmp(copy[i - 1], copy[i]))
			return EBADMSG;
		if (put(s, copy[i]))
			return EBADMSG;
	}
	return 0;
}

static int put_identities(struct arena *a, struct sha1_state *s,
			  const struct disco_info *info)
{
	const char **list = arena_alloc(a, info->identities * sizeof(*list) +
					1);

	if (!list)
		return ENOMEM;
	for (unsigned i = 0; i < info->identities; i++) {
		const struct disco_identity *id = &info->identity[i];

		list[i] = arena_printf(a, "%s/%s/%s/%s", id->category,
				       id->type, id->lang ? id->lang : "",
				       id->name ? id->name : "");
		if (!list[i])
			return ENOMEM;
	}
	return put_texts(a, s, list, info->identities, true);
}

static int put_form(struct arena *a, struct sha1_state *s,
		    const struct disco_form *form)
{
	const struct disco_field *f = sorted(a, form->field, form->fields,
					     sizeof(*f), compare_fields);
	int err = f ? put(s, form->form_type) : ENOMEM;

	for (unsigned i = 0; !err && i < form->fields; i++) {
		err = put(s, f[i].var);
		if (!err)
			err = put_texts(a, s, f[i].value, f[i].values, false);
	}
	return err;
}

static int put_forms(struct arena *a, struct sha1_state *s,
		     const struct disco_info *info)
{
	const struct disco_form *form = sorted(a, info->form, info->forms,
					       sizeof(*form), compare_forms);
	int err = form ? 0 : ENOMEM;

	for (unsigned i = 0; !err && i < info->forms; i++) {
		if (i && !compare_forms(&form[i - 1], &form[i]))
			return EBADMSG;
		err = put_form(a, s, &form[i]);
	}
	return err;
}

static void base64(const unsigned char hash[SHA1_SIZE],
		   char out[DISCO_VER_SIZE])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < SHA1_SIZE; i += 3) {
		bool whole = i + 2 < SHA1_SIZE;
		uint32_t v = (uint32_t)hash[i] << 16 |
			     (uint32_t)hash[i + 1] << 8 |
			     (whole ? hash[i + 2] : 0);

		out[n++] = digits[v >> 18];
		out[n++] = digits[v >> 12 & 63];
		out[n++] = digits[v >> 6 & 63];
		out[n++] = whole ? digits[v & 63] : '=';
	}
	out[n] = '\0';
}

int disco_ver(struct arena *a, const struct disco_info *info,
	      char ver[DISCO_VER_SIZE])
{
	struct sha1_state s;
	unsigned char hash[SHA1_SIZE];
	int err;

	sha1_start(&s);
	err = put_identities(a, &s, info);
	if (!err)
		err = put_texts(a, &s, info->feature, info->features, true);
	if (!err)
		err = put_forms(a, &s, info);
	if (arena_failed(a))
		err = ENOMEM;
	if (err)
		return err;
	sha1_end(&s, hash);
	base64(hash, ver);
	return 0;
}

int caps_read(const struct xml_elem *presence, struct caps *c_r)
{
	const struct xml_elem *c = xml_child(presence, NS_CAPS, "c");

	*c_r = (struct caps){
		.node = xml_get(c, "node"),
		.ver = xml_get(c, "ver"),
		.hash = xml_get(c, "hash"),
	};
	if (!c)
		return ENOENT;
	return text_blank(c_r->node) || text_blank(c_r->ver) ? EBADMSG : 0;
}

void caps_add(struct arena *a, struct xml_elem *presence, const char *node,
	      const char *ver)
{
	struct xml_elem *c = xml_add(a, presence, NS_CAPS, "c");

	xml_set(a, c, "hash", "sha-1");
	xml_set(a, c, "node", node);
	xml_set(a, c, "ver", ver);
}
