/* gateway_private.h: what the files of this folder share. */
#ifndef MOD_PRIVATECALL_PRESENCE_GATEWAY_PRIVATE_H
#define MOD_PRIVATECALL_PRESENCE_GATEWAY_PRIVATE_H

#include "mod_privatecall/presence/gateway.h"

/* A table that cannot grow leaves the element out and says so in it. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->unhashed = true)
#include <uthash.h>
#include <utlist.h>

#include "jingle/stanza/disco.h"
#include "jingle/stanza/presence.h"
#include "mod_privatecall/presence/address.h"

#define LANG_MAX 35                /* bytes of a language tag, RFC 5646 */
#define CAPS_KEY_MAX 256           /* bytes of what names a device's caps */
#define ASK_TIMEOUT_MS 35000       /* the daemon's own limit is 30 s */
#define SWEEP_ACTIONS 1000         /* of one tick, about */

/* What a device can do, as far as we care. */
enum {
	FEATURE_JMI = 1,
	FEATURE_CALLS = 2,         /* Jingle RTP over ICE */
	FEATURE_CARBONS = 4
};

/* What a user was last told of a contact. */
enum shown { SHOWN_NOTHING, SHOWN_UNAVAILABLE, SHOWN_AVAILABLE };

struct gateway_caps;

struct gateway_dev {
	struct gateway_dev *prev, *next;   /* order of arrival */
	struct gateway_user *user;
	char *jid;                 /* full */
	char *via;                 /* our bare address it was seen from last */
	enum presence_show show;
	int priority;
	bool idle;
	int64_t idle_since;        /* wall ms, if idle */
	bool stale;                /* not seen since the link was lost */
	bool heard;                /* ... but a stanza of it came */
	bool told;                 /* by the server's module */
	bool replayed;             /* ... in the replay that runs */
	bool hibernating;
	char *caps_key;            /* names its caps; "": has none */
	bool bundles;              /* such clients do (bundle.c) */
	bool known;                /* features are */
	unsigned features;         /* FEATURE_* */
	char *asked;               /* id of our open disco question */
	struct gateway_caps *waits;        /* for the answer about these */
	struct gateway_dev *wait_prev, *wait_next;
};

struct gateway_row {
	struct gateway_user *user;
	char *contact;             /* bare; key */
	char *peer;                /* the user it stands for; NULL: service */
	bool to, from, ask;        /* see struct gateway_contact */
	enum shown shown;
	bool unhashed;
	UT_hash_handle hh;
};

struct gateway_user {
	char *bare;                /* key */
	char *contact;             /* bare address that stands for him */
	bool remote;
	struct gateway_row *rows;  /* by contact */
	struct gateway_dev *devs;
	unsigned devs_n;
	bool active, readable;     /* as last told to others */
	bool changed;              /* see gateway_session_changed() */
	int64_t ask_at;            /* monotonic ms: not asked for before */
	char lang[LANG_MAX + 1];   /* "": none */
	bool unhashed;
	UT_hash_handle hh;
};

/* Features by verified hash (XEP-0115), or a question about them. */
struct gateway_caps {
	char *key;                 /* "sha-1 " and ver */
	bool known;
	unsigned features;
	int64_t asked_at;          /* monotonic ms, until known */
	struct gateway_dev *waiting;       /* the first one was asked */
	struct gateway_caps *prev, *next;  /* of g->asking, until known */
	bool unhashed;
	UT_hash_handle hh;
};

struct gateway_answer {            /* what bundle.c has learned */
	char *key;                 /* "bare caps_key" */
	bool bundles;
	bool unhashed;
	UT_hash_handle hh;
};

struct gateway_held {              /* see gateway_hold() */
	char *key;                 /* "user peer" */
	bool unhashed;
	UT_hash_handle hh;
};

struct gateway_relayed {           /* a message whose error may return */
	char *id;
	char *sender;              /* full */
	char *receiver;            /* bare */
};

enum { SWEEP_UP = 1, SWEEP_EVAL = 2, SWEEP_GRACE = 4 };

struct gateway {
	char *domain;
	char **hosts;              /* NULL-terminated */
	bool *host_off;            /* by host: its module's switch */
	const struct settings_site *site;
	char service_ver[DISCO_VER_SIZE], contact_ver[DISCO_VER_SIZE];
	struct gateway_user *users;
	unsigned remote_n;
	struct gateway_caps *caps; /* oldest use first */
	struct gateway_caps *asking;       /* oldest question first */
	struct gateway_answer *answers;    /* oldest first */
	struct gateway_held *helds;
	struct gateway_relayed relayed[GATEWAY_RELAYED_MAX];
	unsigned relayed_at;       /* where the next one goes */
	bool up;
	int64_t now;               /* of the last step */
	int64_t grace_end;         /* INT64_MAX: none */
	int64_t next_idle;         /* when somebody's idle limit is reached */
	int64_t next_ask;          /* when somebody may be asked for */
	struct gateway_user *sweep;        /* next to be swept */
	unsigned sweep_mode;       /* SWEEP_* */
	unsigned next_id;
	uint64_t over_limit;
};

/* What a stanza is addressed to. */
struct gateway_target {
	const char *bare;          /* our domain, or the contact */
	bool service;
	struct jid peer;           /* the contact's user, unless service */
};

/* --- gateway.c ----------------------------------------------------------- */
/* 0; EBADMSG: an address of ours that stands for nobody; ENOMEM. */
int gateway_target_find(const struct gateway *g, struct arena *a,
			const struct jid *to, struct gateway_target *t_r);
/* `user` may become known: he is of our hosts, or remote ones are let in. */
bool gateway_admits(const struct gateway *g, const struct jid *user);

struct gateway_user *gateway_user_find(const struct gateway *g,
				       const char *bare);
/* Finds or makes. 0; EBADMSG: no user's address; EOVERFLOW; ENOMEM. */
int gateway_user_get(struct gateway *g, struct arena *a,
		     const struct jid *user, struct gateway_user **u_r);
/* Frees a user who has neither rows nor devices. */
void gateway_user_drop(struct gateway *g, struct gateway_user *u);
void gateway_user_lang(struct gateway *g, const struct stanza *s);

struct gateway_row *gateway_row_find(const struct gateway_user *u,
				     const char *contact);
/* Finds or makes. 0; EOVERFLOW; ENOMEM. */
int gateway_row_get(struct gateway *g, struct gateway_user *u,
		    const struct gateway_target *t, struct gateway_row **r_r);
void gateway_row_free(struct gateway_row *r);
void gateway_dev_free(struct gateway *g, struct gateway_dev *d);

/* Appends actions; nothing when the arena has failed. */
void gateway_do_send(struct gateway_env *env, struct xml_elem *stanza);
void gateway_do_ask(struct gateway_env *env, struct xml_elem *iq);
void gateway_do_tell(struct gateway_env *env, enum gateway_action_kind kind,
		     const char *jid);
void gateway_do_row(struct gateway_env *env, const struct gateway_row *r,
		    bool put);
void gateway_do_presence(struct gateway_env *env, const char *type,
			 const char *from, const char *to);
/* The end of a step: 0 or ENOMEM. */
int gateway_done(const struct gateway_env *env, int rc);

/* --- mirror.c ------------------------------------------------------------ */
int gateway_mirror_available(struct gateway *g, const struct stanza *s,
			     const struct gateway_target *t,
			     struct gateway_env *env);
void gateway_mirror_unavailable(struct gateway *g, const struct stanza *s,
				const struct gateway_target *t,
				struct gateway_env *env);
/* His presence is not sent to our `address` any more. */
void gateway_mirror_lost(struct gateway *g, struct gateway_user *u,
			 const char *address, struct gateway_env *env);
/* Asks for his presence, if we may see it. */
void gateway_mirror_probe(struct gateway *g, struct gateway_user *u,
			  struct gateway_env *env);
/* After a change of his devices, or (always) of what counts: tells others. */
void gateway_mirror_refresh(struct gateway *g, struct gateway_user *u,
			    bool always, struct gateway_env *env);
/* If others see what he shows, and it is not what was told: that it is to be
 * asked for, at most once a second, and again where no answer comes. */
void gateway_mirror_wanted(struct gateway *g, struct gateway_user *u,
			   struct gateway_env *env);
/* All is about to be told of him. */
void gateway_mirror_told(struct gateway_user *u, int64_t now);
/* It did not show itself in the grace. */
void gateway_mirror_unseen(struct gateway *g, struct gateway_dev *d,
			   struct gateway_env *env);
void gateway_mirror_gone(struct gateway *g, struct gateway_dev *d,
			 struct gateway_env *env);
/* Finds or makes the device of a full address. 0; EBADMSG, EOVERFLOW,
 * ENOMEM. */
int gateway_mirror_dev(struct gateway *g, const struct jid *full,
		       struct gateway_user **u_r, struct gateway_dev **d_r,
		       struct gateway_env *env);
/* The address of ours that sees it. 0 or ENOMEM. */
int gateway_mirror_via(struct gateway_dev *d, const char *address);
/* What a presence of the device says. 0 or ENOMEM. */
int gateway_mirror_read(struct gateway *g, struct gateway_dev *d,
			const struct presence_info *info,
			struct gateway_env *env);
struct gateway_dev *gateway_mirror_find(const struct gateway_user *u,
					const char *jid);

/* --- session.c ----------------------------------------------------------- */
/* The switch of this user's host is off. */
bool gateway_host_off(const struct gateway *g, const char *bare);

/* --- roster.c ------------------------------------------------------------ */
void gateway_roster_subscribe(struct gateway *g, const struct stanza *s,
			      const struct gateway_target *t,
			      struct gateway_env *env);
void gateway_roster_subscribed(struct gateway *g, const struct stanza *s,
			       const struct gateway_target *t,
			       struct gateway_env *env);
void gateway_roster_unsubscribe(struct gateway *g, const struct stanza *s,
				const struct gateway_target *t,
				struct gateway_env *env);
void gateway_roster_unsubscribed(struct gateway *g, const struct stanza *s,
				 const struct gateway_target *t,
				 struct gateway_env *env);
void gateway_roster_probe(struct gateway *g, const struct stanza *s,
			  const struct gateway_target *t,
			  struct gateway_env *env);
/* XEP-0077: makes him known, and forgets him. */
int gateway_roster_register(struct gateway *g, const struct jid *user,
			    struct gateway_env *env);
void gateway_roster_remove(struct gateway *g, const char *bare,
			   struct gateway_env *env);

/* --- show.c -------------------------------------------------------------- */
/* Tells the row's user what he may see of its contact, if it is not what he
 * was told last; must: also if he was told nothing and it is unavailable. */
void gateway_show_row(struct gateway *g, struct gateway_row *r, bool must,
		      struct gateway_env *env);
/* The same for what the user behind the row's contact sees of its user. */
void gateway_show_back(struct gateway *g, const struct gateway_row *r,
		       struct gateway_env *env);
/* Presence of the service, and of a contact, to one address. */
void gateway_show_service(const struct gateway *g, const char *to,
			  struct gateway_env *env);
void gateway_show_contact(const struct gateway *g, const char *contact,
			  bool available, const char *to,
			  struct gateway_env *env);

/* --- features.c ---------------------------------------------------------- */
/* The device's presence was read: what it can do is asked if need be, from
 * the address that sees it. 0 or ENOMEM. */
int gateway_features_seen(struct gateway *g, struct gateway_dev *d,
			  const struct presence_info *info,
			  struct gateway_env *env);
/* The device goes: others wait no longer for its answer. env NULL: the link
 * is lost, nobody is asked in its place. */
void gateway_features_forget(struct gateway *g, struct gateway_dev *d,
			     struct gateway_env *env);
/* Questions that were not answered in time. */
void gateway_features_tick(struct gateway *g, struct gateway_env *env);
int64_t gateway_features_deadline(const struct gateway *g);
void gateway_features_free(struct gateway *g);

/* --- bundle.c ------------------------------------------------------------ */
/* Clients of this caps node (NULL: none) use BUNDLE. */
bool gateway_node_bundles(const char *node);
/* This device does, as far as we know. */
bool gateway_bundles(const struct gateway *g, const struct gateway_dev *d,
		     struct arena *a);
void gateway_bundles_free(struct gateway *g);

/* --- answer.c ------------------------------------------------------------ */
extern const struct disco_info gateway_service_info, gateway_contact_info;

/* --- chat.c -------------------------------------------------------------- */
void gateway_chat_free(struct gateway *g);

#endif
