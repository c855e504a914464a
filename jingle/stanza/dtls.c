/* dtls.c: DTLS fingerprints of a transport (XEP-0320). */
#include "jingle/stanza/dtls.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

static const char *const setup_names[] = {
	[DTLS_ACTIVE] = "active",
	[DTLS_PASSIVE] = "passive",
	[DTLS_ACTPASS] = "actpass",
	[DTLS_HOLDCONN] = "holdconn",
};

/* RFC 8122, 5, the strongest last; other names are passed on with any value. */
static const struct hash {
	char name[DTLS_HASH_MAX];
	size_t len;
} hashes[] = {
	{ "md5", 16 },     { "sha-1", 20 },   { "sha-224", 28 },
	{ "sha-256", 32 }, { "sha-384", 48 }, { "sha-512", 64 },
};

static int read_setup(struct dtls_fingerprint *f, struct why *why)
{
	const char *setup = xml_get(f->elem, "setup");

	for (int i = DTLS_ACTIVE; setup && i <= DTLS_HOLDCONN; i++) {
		if (!strcmp(setup, setup_names[i])) {
			f->setup = (enum dtls_setup)i;
			return 0;
		}
	}
	return why_bad(why, "<fingerprint/> needs 'setup': actpass, active, "
		       "passive or holdconn.");
}

static int read_hash(struct dtls_fingerprint *f, struct why *why)
{
	const char *hash = xml_get(f->elem, "hash");

	if (!text_token(hash, DTLS_HASH_MAX - 1))
		return why_bad(why, "<fingerprint/> needs 'hash', as "
			       "sha-256.");
	for (size_t i = 0; hash[i]; i++) {
		char c = hash[i];

		f->hash[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* "AB:cd:..." with white space around it. */
static int read_hex(struct dtls_fingerprint *f, const char *s)
{
	s += strspn(s, " \t\r\n");
	for (;;) {
		int high = hex_digit(s[0]);
		int low = high < 0 ? -1 : hex_digit(s[1]);

		if (low < 0 || f->len == DTLS_VALUE_MAX)
			return EBADMSG;
		f->value[f->len++] = (unsigned char)(high * 16 + low);
		s += 2;
		if (*s != ':')
			break;
		s++;
	}
	return text_blank(s) ? 0 : EBADMSG;
}

/* -1: not a known one. */
static int hash_number(const char *name)
{
	for (int i = 0; i < (int)(sizeof(hashes) / sizeof(hashes[0])); i++)
		if (!strcmp(name, hashes[i].name))
			return i;
	return -1;
}

static bool len_ok(const struct dtls_fingerprint *f)
{
	int i = hash_number(f->hash);

	return i < 0 || f->len == hashes[i].len;
}

static int read_value(struct arena *a, struct dtls_fingerprint *f,
		      struct why *why)
{
	const char *text;

	if (f->omemo) {
		if (!xml_child(f->elem, NULL, NULL))
			return why_bad(why, "An encrypted <fingerprint/> is "
				       "empty.");
		return 0;
	}
	text = xml_text(a, f->elem);
	if (!text)
		return ENOMEM;
	if (read_hex(f, text) || !len_ok(f))
		return why_bad(why, "<fingerprint/> needs the hash's bytes as "
			       "hex digits with colons.");
	return 0;
}

static int read_one(struct arena *a, const struct dtls_list *l,
		    struct dtls_fingerprint *f, struct why *why)
{
	int err = read_hash(f, why);

	if (!err)
		err = read_setup(f, why);
	if (!err)
		err = read_value(a, f, why);
	if (err)
		return err;
	for (unsigned i = 0; i < l->fingerprints; i++)
		if (l->fingerprint[i].omemo == f->omemo &&
		    !strcmp(l->fingerprint[i].hash, f->hash))
			return why_bad(why, "Two <fingerprint/> of the same "
				       "'hash'.");
	return 0;
}

int dtls_parse(struct arena *a, const struct xml_elem *transport,
	       struct dtls_list *l_r, struct why *why)
{
	struct xml_elem *e = xml_child(transport, NULL, "fingerprint");

	memset(l_r, 0, sizeof(*l_r));
	for (; e; e = xml_next(e, NULL, "fingerprint")) {
		struct dtls_fingerprint *f;
		int err;

		if (strcmp(e->ns, NS_DTLS) != 0 &&
		    strcmp(e->ns, NS_OMEMO_DTLS) != 0)
			continue;
		if (l_r->fingerprints == DTLS_FINGERPRINTS_MAX)
			return why_over(why, "More than 8 <fingerprint/> in a "
					"<transport/>.");
		f = &l_r->fingerprint[l_r->fingerprints];
		f->elem = e;
		f->omemo = !strcmp(e->ns, NS_OMEMO_DTLS);
		err = read_one(a, l_r, f, why);
		if (err)
			return err;
		l_r->fingerprints++;
	}
	return 0;
}

const struct dtls_fingerprint *dtls_strongest(const struct dtls_list *l)
{
	const struct dtls_fingerprint *f, *best = NULL;

	for (unsigned i = 0; i < l->fingerprints; i++) {
		f = &l->fingerprint[i];
		if (!f->omemo && (!best || hash_number(f->hash) >
					   hash_number(best->hash)))
			best = f;
	}
	return best;
}

bool dtls_is_strong(const struct dtls_fingerprint *f)
{
	return hash_number(f->hash) >= hash_number("sha-256");
}

char *dtls_text(struct arena *a, const char *hash, const unsigned char *value,
		size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[3 * DTLS_VALUE_MAX + 1] = "", *o = hex;

	for (size_t i = 0; i < len; i++) {
		*o++ = digits[value[i] >> 4];
		*o++ = digits[value[i] & 15];
		*o++ = i + 1 < len ? ':' : '\0';
	}
	return arena_printf(a, "%s %s", hash, hex);
}

int dtls_text_parse(const char *text, struct dtls_fingerprint *f_r)
{
	size_t n = strcspn(text, " ");

	memset(f_r, 0, sizeof(*f_r));
	if (!n || n >= DTLS_HASH_MAX || !text[n])
		return EBADMSG;
	memcpy(f_r->hash, text, n);
	return read_hex(f_r, text + n) || !len_ok(f_r) ? EBADMSG : 0;
}
