/* disco.h: service discovery (XEP-0030) with forms (XEP-0128), and entity
 * capabilities (XEP-0115).
 */
#ifndef JINGLE_STANZA_DISCO_H
#define JINGLE_STANZA_DISCO_H

#include "jingle/stanza/stanza.h"

#define DISCO_IDENTITIES_MAX 32
#define DISCO_FEATURES_MAX 512
#define DISCO_FORMS_MAX 8
#define DISCO_FIELDS_MAX 32        /* of one form */
#define DISCO_VALUES_MAX 32        /* of one field */
#define DISCO_VER_SIZE 29          /* base64 of a SHA-1 and NUL */

struct disco_identity {
	const char *category;      /* "gateway", "client" */
	const char *type;          /* "xmpp", "phone" */
	const char *lang;          /* NULL: none */
	const char *name;          /* NULL: none */
};

struct disco_field {
	const char *var;
	unsigned values;
	const char *const *value;
};

struct disco_form {                /* XEP-0128; FORM_TYPE is no field */
	const char *form_type;
	unsigned fields;
	const struct disco_field *field;
};

/* What an address says of itself: a const table of ours, or a parsed one. */
struct disco_info {
	unsigned identities;
	const struct disco_identity *identity;
	unsigned features;
	const char *const *feature;
	unsigned forms;
	const struct disco_form *form;
};

/* Appends <query/> with identities, features and forms to an iq result;
 * node NULL: left out. */
void disco_add_info(struct arena *a, struct xml_elem *iq,
		    const struct disco_info *info, const char *node);
/* Appends a <query/> with nothing in it: for disco#info a question, for
 * disco#items also the answer that there are none. */
struct xml_elem *disco_add_query(struct arena *a, struct xml_elem *iq,
				 const char *ns, const char *node);

/* The <query/> of an iq that asks disco#info or disco#items; its node in
 * *node_r (NULL: none, may be NULL itself). NULL: not such an iq. */
const struct xml_elem *disco_query(const struct xml_elem *iq, const char *ns,
				   const char **node_r);

/* Reads a disco#info result; arrays in the arena. Forms without FORM_TYPE are
 * not listed. 0; ENOENT: no <query/>; EBADMSG with *why: an identity without
 * category or type, a feature without var; EOVERFLOW with *why; ENOMEM. */
int disco_parse(struct arena *a, const struct xml_elem *iq,
		struct disco_info *info_r, struct why *why);
bool disco_has_feature(const struct disco_info *info, const char *feature);
/* ... or has a form this text: the verification string is the same for both,
 * so whoever claims another's caps could answer with a form in place of his
 * last features. (Texts without '/', which an identity has.) */
bool disco_says(const struct disco_info *info, const char *text);

/* XEP-0115, 5.1: the verification string of SHA-1. 0; EBADMSG: ill-formed
 * (5.4: an identity, feature or form type twice; a text with '<', which ends
 * each), never to be remembered; ENOMEM. `a` holds what is needed on the
 * way. */
int disco_ver(struct arena *a, const struct disco_info *info,
	      char ver[DISCO_VER_SIZE]);

struct caps {
	const char *node;          /* URI of the software */
	const char *ver;
	const char *hash;          /* "sha-1" ...; NULL: the old form */
};

/* The <c/> of a presence. 0; ENOENT: none; EBADMSG: node or ver missing or
 * blank. */
int caps_read(const struct xml_elem *presence, struct caps *c_r);
void caps_add(struct arena *a, struct xml_elem *presence, const char *node,
	      const char *ver);

#endif
