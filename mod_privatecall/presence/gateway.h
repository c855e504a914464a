/* gateway.h: gateway mode: who our users are, which of them can be rung, what
 * they see of each other, and what our addresses answer (product.md, F3, F4,
 * "Words: active"; interop.md 4.1).
 *
 * Pure: stanzas in, actions out, appended to the env in the order in which
 * they must be executed. Users and contacts are named by bare JIDs as prepared
 * by jid.h. A user is known as long as he has a contact row or a device here.
 */
#ifndef MOD_PRIVATECALL_PRESENCE_GATEWAY_H
#define MOD_PRIVATECALL_PRESENCE_GATEWAY_H

#include <stdint.h>
#include "jingle/session/leg.h"
#include "jingle/stanza/presence.h"
#include "jingle/stanza/stanza.h"
#include "mod_privatecall/policy/settings.h"

#define GATEWAY_USERS_MAX 100000   /* known at once */
#define GATEWAY_REMOTE_MAX 10000   /* of them of domains not in hosts */
#define GATEWAY_CONTACTS_MAX 500   /* rows of one user */
#define GATEWAY_DEVICES_MAX 64     /* resources of one user */
#define GATEWAY_FEATURES_MAX 1000  /* caps remembered */
#define GATEWAY_BUNDLES_MAX 10000  /* answers of devices remembered */
#define GATEWAY_RELAYED_MAX 512    /* messages whose error can be returned */
#define GATEWAY_GRACE_MS 10000     /* after gateway_up(): devices come back */
#define GATEWAY_RESOURCE "call"    /* of every contact */
#define GATEWAY_NODE "urn:privatecall:gateway"     /* of our caps */

struct gateway_conf {
	const char *domain;        /* ours, "calls.example.org" */
	const char *const *hosts;  /* NULL-terminated; NULL or empty: our
				      domain without its first label */
	const struct settings_site *site;  /* kept, not copied */
};

/* A row of the gateway's roster. */
struct gateway_contact {
	const char *user;          /* bare JID of the real user */
	const char *contact;       /* bare JID of ours that he has; our domain
				      for the service itself */
	bool to;                   /* he gets the contact's presence: he has
				      added it */
	bool from;                 /* we get his presence */
	bool ask;                  /* our subscribe is unanswered */
};

enum gateway_action_kind {
	GATEWAY_SEND,              /* stanza */
	GATEWAY_ASK,               /* stanza: an iq get of ours, whose answer
				      comes back by gateway_answer() */
	GATEWAY_CONTACT_PUT,       /* contact: store, replacing by user and
				      contact */
	GATEWAY_CONTACT_DEL,       /* contact: forget */
	GATEWAY_DEVICE_GONE,       /* jid, full: unavailable */
	GATEWAY_DEVICE_BACK,       /* jid, full: available, new or again */
	GATEWAY_READY,             /* jid, bare: he can read notices now */
	GATEWAY_CHANGED            /* jid, bare: others see what he shows, and
				      it is not what was told: to be asked */
};

struct gateway_action {
	struct gateway_action *next;
	enum gateway_action_kind kind;
	struct xml_elem *stanza;
	const char *jid;
	struct gateway_contact contact;
};

/* What every step gets. The arena holds all actions. */
struct gateway_env {
	struct arena *arena;
	int64_t now;               /* monotonic ms */
	int64_t wall;              /* ms since 1970 */
	struct gateway_action *first, *last;
};

struct gateway;

/* NULL: no memory, or a domain in conf is none. Copies all but `site`, which
 * must stay valid until replaced. The link is down at first. */
struct gateway *gateway_new(const struct gateway_conf *conf);
void gateway_free(struct gateway *g);      /* NULL is fine */
/* Other settings; gateway_enabled() makes them seen. */
void gateway_set_site(struct gateway *g, const struct settings_site *site);
/* A row from the store. 0; EBADMSG: not an address of ours and a user;
 * EOVERFLOW: over a limit; ENOMEM. */
int gateway_restore_contact(struct gateway *g,
			    const struct gateway_contact *row);

/* --- stanzas ------------------------------------------------------------- */
/* All take stanzas to our addresses; those from our own are ignored. Errors
 * and results are never answered. 0, or ENOMEM: done in part, nothing is
 * wrong but what is missing. */

/* Presence of all types (RFC 6121, 3 and 4). */
int gateway_presence(struct gateway *g, const struct stanza *s,
		     struct gateway_env *env);
/* An iq get or set that is not Jingle's: exactly one answer. */
int gateway_iq(struct gateway *g, const struct stanza *s,
	       struct gateway_env *env);
/* The result of, or error for, a GATEWAY_ASK. */
int gateway_answer(struct gateway *g, const struct stanza *s,
		   struct gateway_env *env);
/* A message without JMI: to the contact's user, as from the sender's contact
 * (bare JID, so that clients keep one conversation); `allowed`: messaging is
 * on between the two. */
int gateway_message(struct gateway *g, const struct stanza *s,
		    struct gateway_env *env, bool allowed);

/* --- what the server's module tells (doc/protocol.md) -------------------- */
/* A session of a user of `hosts`. As long as it is told, presence that
 * reaches us otherwise says nothing about it. */
struct gateway_session {
	struct jid jid;            /* full */
	struct presence_info info;
	bool hibernating;          /* may be resumed; reads nothing now */
};
int gateway_session(struct gateway *g, const struct gateway_session *s,
		    struct gateway_env *env);
void gateway_session_gone(struct gateway *g, const struct jid *full,
			  struct gateway_env *env);
/* What a session shows is not what was told of it any more, and nothing more
 * is told of that until all sessions of its user are. */
void gateway_session_changed(struct gateway *g, const struct jid *full,
			     struct gateway_env *env);
/* He has sessions that were told, and they are as they were told. */
bool gateway_is_fresh(const struct gateway *g, const char *bare);
/* All sessions of `whose`, a host or a bare JID, are about to be told, and
 * have been: what is not among them is gone. */
void gateway_replay(struct gateway *g, const char *whose, bool ends,
		    struct gateway_env *env);
/* The switch of the module: contacts of users of a host that is off are not
 * seen by others; gateway_enabled() makes it seen. */
void gateway_set_host(struct gateway *g, const char *host, bool enabled);
/* The module of a host tells nothing any more: its sessions count until
 * GATEWAY_GRACE_MS unless they are seen again. */
void gateway_untold(struct gateway *g, const char *host,
		    struct gateway_env *env);

/* --- events of the link, of time and of calls ---------------------------- */
/* The link is up: the service's presence to its subscribers, probes to all
 * whose presence we may see; large numbers go out over several ticks.
 * Contacts become available as their users do, unavailable after
 * GATEWAY_GRACE_MS. */
void gateway_up(struct gateway *g, struct gateway_env *env);
/* The link is lost: no device counts until it is seen again. Those that are
 * not by GATEWAY_GRACE_MS after gateway_up() are gone. */
void gateway_down(struct gateway *g, struct gateway_env *env);
/* A message or iq of this device came: until its presence does, it does not
 * count as available, but it is not gone either when the grace ends. Who
 * shows himself to one contact alone is not probed, and Dino does not say it
 * again. */
void gateway_heard(struct gateway *g, const struct jid *from);
/* Unavailable presence of all our addresses, as far as the arena holds. */
void gateway_stop(struct gateway *g, struct gateway_env *env);
/* Contacts' presence anew, after a change of site settings. */
void gateway_enabled(struct gateway *g, struct gateway_env *env);
/* While on, the presence that `user` sees of `peer` does not become
 * unavailable (a call of the two). Nothing becomes available by it. */
void gateway_hold(struct gateway *g, const char *user, const char *peer,
		  bool on, struct gateway_env *env);
/* When gateway_tick() is due, monotonic ms; INT64_MAX: never. O(1). */
int64_t gateway_deadline(const struct gateway *g);
void gateway_tick(struct gateway *g, struct gateway_env *env);

/* This device has answered an offer with a BUNDLE group, or without. */
void gateway_learn_bundles(struct gateway *g, const char *device,
			   bool bundles, struct arena *a);

/* --- questions ----------------------------------------------------------- */
/* The bare JID is a user we know. */
bool gateway_knows(const struct gateway *g, const char *bare);
/* He is active (product.md). dnd_r (may be NULL): he is not, and has devices,
 * all of them in do-not-disturb. */
bool gateway_active(const struct gateway *g, const char *bare, int64_t wall,
		    bool *dnd_r);
/* His devices that can be rung: available with priority >= 0, oldest first.
 * Their number; the array is in the arena (0: also when out of memory). */
unsigned gateway_targets(const struct gateway *g, struct arena *a,
			 const char *bare, struct leg_target **targets_r);
/* `user` has added the contact that stands for `peer`. */
bool gateway_has_contact(const struct gateway *g, const char *user,
			 const char *peer);
/* A headline to his bare JID is read now: a device with priority >= 0 that
 * does not hibernate. */
bool gateway_can_read(const struct gateway *g, const char *bare);
/* xml:lang of his last stanza that had one; NULL: none. Valid until the next
 * step. */
const char *gateway_lang(const struct gateway *g, const char *bare);

struct gateway_device {
	const char *jid;           /* full */
	const char *show;          /* "online", "away"... */
	int priority;
	bool changed;              /* one of his devices shows something else
				      by now than the module has told */
	bool known;                /* its features are */
	bool plain;                /* Jingle without JMI */
	bool jmi;
	bool carbons;
};
/* Calls device_h for every available device of his, oldest first. */
void gateway_describe(const struct gateway *g, const char *bare,
		      void (*device_h)(const struct gateway_device *d,
				       void *arg),
		      void *arg);

struct gateway_counts {
	unsigned users, remote;    /* known now; of other domains */
	unsigned features;         /* caps remembered */
	uint64_t over_limit;       /* refused or ignored for a limit */
};
void gateway_counts(const struct gateway *g, struct gateway_counts *counts_r);

/* Asserts the gateway's invariants. */
void gateway_check(const struct gateway *g);

#endif
