/* notice.h: what the service tells a user after a call, as text (pure).
 *
 * One headline from the bare component domain: one subject, one body, one
 * language; the first line readable alone, a link last and without trailing
 * punctuation (interop.md 3.2).
 */
#ifndef MOD_PRIVATECALL_NOTICE_NOTICE_H
#define MOD_PRIVATECALL_NOTICE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>
#include "jingle/xml/arena.h"
#include "mod_privatecall/policy/cause.h"

enum notice_kind {
	NOTICE_MISSED,             /* to the callee */
	NOTICE_REFUSED,            /* to the caller: cause's text */
	NOTICE_WRITE_BACK,         /* to the callee who declined */
	NOTICE_DETAILS,            /* to both: how long, until when to rejoin */
	NOTICE_FAILED,             /* to the callee: the caller's text */
	NOTICE_RETURNED            /* to who stayed, or has left: the other is
				      back (X8) */
};

struct notice {
	enum notice_kind kind;
	const char *to;            /* bare JID of who is told */
	const char *peer;          /* bare JID of the other, a real user's */
	const char *peer_call;     /* address by which he is called again
				      (gateway: bob@calls.host) */
	enum cause cause;
	const char *step;          /* FAILED: which step, or NULL */
	unsigned media;            /* bit 0 audio, bit 1 video */
	bool outgoing;             /* `to` was the caller */
	bool encrypted;            /* both gave DTLS fingerprints throughout */
	bool ends_here;            /* ... each towards us: mode `room` */
	bool offer;                /* offer a message instead */
	bool again;                /* say how to call again (F36) */
	int64_t started;           /* wall ms: ring start, or answer */
	int64_t ended;
	int64_t until;             /* wall ms, end of the re-entry window; 0 */
	unsigned count;            /* calls folded into one, >= 1 */
};

const char *notice_kind_name(enum notice_kind k);
bool notice_kind_parse(const char *name, enum notice_kind *k_r);

/* Subject and body. Times are said in UTC offset `offset_min` minutes. 0 or
 * ENOMEM. */
int notice_text(struct arena *a, const struct notice *n, int offset_min,
		const char **subject_r, const char **body_r);

/* xmpp: URI of a bare JID with a query ("message"), RFC 5122 escaped. */
char *notice_uri(struct arena *a, const char *bare, const char *query);

#endif
