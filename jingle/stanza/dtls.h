/* dtls.h: DTLS fingerprints of a transport (XEP-0320), plain or inside an
 * OMEMO message, read only; and as one line of text, for what is kept.
 */
#ifndef JINGLE_STANZA_DTLS_H
#define JINGLE_STANZA_DTLS_H

#include "jingle/stanza/stanza.h"

#define DTLS_FINGERPRINTS_MAX 8    /* of one transport */
#define DTLS_HASH_MAX 16           /* bytes of a hash's name with NUL */
#define DTLS_VALUE_MAX 64          /* bytes of the longest hash, SHA-512 */

enum dtls_setup { DTLS_ACTIVE, DTLS_PASSIVE, DTLS_ACTPASS, DTLS_HOLDCONN };

struct dtls_fingerprint {
	char hash[DTLS_HASH_MAX];  /* lower case, "sha-256" */
	enum dtls_setup setup;
	bool omemo;                /* value is encrypted: len is 0 */
	size_t len;                /* bytes of value */
	unsigned char value[DTLS_VALUE_MAX];
	struct xml_elem *elem;
};

struct dtls_list {
	unsigned fingerprints;
	struct dtls_fingerprint fingerprint[DTLS_FINGERPRINTS_MAX];
};

/* Reads every <fingerprint/> of a transport, of either namespace; hash and
 * value in either case. 0 (also without any); EBADMSG with *why: hash or
 * setup missing, blank or unknown, a value that is not the hash's hex bytes,
 * the same hash twice; EOVERFLOW with *why. */
int dtls_parse(struct arena *a, const struct xml_elem *transport,
	       struct dtls_list *l_r, struct why *why);

/* The one to go by: of the plain ones that with the strongest hash; those of
 * unknown names are the weakest. NULL: none is plain. */
const struct dtls_fingerprint *dtls_strongest(const struct dtls_list *l);
/* A certificate can be recognized by it: SHA-256 or longer. */
bool dtls_is_strong(const struct dtls_fingerprint *f);

/* "sha-256 AB:CD:..."; NULL: no memory. */
char *dtls_text(struct arena *a, const char *hash, const unsigned char *value,
		size_t len);
/* Reads such a line: hash, len, value. 0; EBADMSG. */
int dtls_text_parse(const char *text, struct dtls_fingerprint *f_r);

#endif
