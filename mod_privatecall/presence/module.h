/* module.h: what the server's module and we say to each other, as elements
 * (doc/protocol.md, whose words these are). Pure.
 */
#ifndef MOD_PRIVATECALL_PRESENCE_MODULE_H
#define MOD_PRIVATECALL_PRESENCE_MODULE_H

#include <stdint.h>
#include "jingle/stanza/stanza.h"
#include "mod_privatecall/presence/gateway.h"

#define MODULE_VERSION 1           /* of doc/protocol.md */

/* `stanza` of a user, in an iq set from `domain` to `host`. Shares its
 * children. NULL: no memory. */
struct xml_elem *module_relay(struct arena *a, const struct xml_elem *stanza,
			      const char *domain, const char *host,
			      const char *id);
/* The error that the recipient of a refused stanza would have sent, as it
 * would have come here; NULL: `error`, an iq of the host, names none, or one
 * that must not be answered. *why_r: the module's word, "?" if it has none. */
struct xml_elem *module_refused(struct arena *a, const struct stanza *error,
				const char **why_r);

struct module_hello {
	unsigned version;          /* 0: none */
	const char *software, *release, *server;       /* "?" if unsaid */
	bool private_calls;        /* its switch */
	bool native_when_down;
	bool remote_users;
	/* How the server is set up, beside the module itself. */
	bool registration;         /* anybody may make himself an account */
	bool pres_counter;         /* ejabberd's mod_pres_counter is loaded */
	uint32_t user_rate;        /* bytes a second a user may send; 0: not
				      said, or no limit */
};
void module_add_hello(struct arena *a, struct xml_elem *iq);
void module_read_hello(const struct xml_elem *hello,
		       struct module_hello *h_r);

struct module_facts {
	/* What was left out is as for somebody who is not in doubt. */
	bool exists, push;
	bool partial;              /* only the following is known */
	bool contact;              /* the caller is in the callee's roster */
	bool blocked;              /* one of the two blocks the other */
};
void module_add_facts(struct arena *a, struct xml_elem *iq, const char *from,
		      const char *to);
/* All sessions of a user, a bare JID. */
void module_add_sessions(struct arena *a, struct xml_elem *iq,
			 const char *user);
void module_read_facts(const struct xml_elem *facts,
		       struct module_facts *f_r);

/* A <session/>. 0; EBADMSG: no full address. The strings are those of `e`. */
int module_read_session(struct arena *a, const struct xml_elem *e,
			struct gateway_session *s_r);

#endif
