/* phone.h: a user's device with calls, as far as one call needs it: presence
 * with caps, XEP-0353, Jingle with ICE-UDP and DTLS, audio and video in one
 * BUNDLE group, as Conversations and the browsers do it. It decides nothing:
 * what comes is an event, what is to be said a function.
 */
#ifndef MOD_PRIVATECALL_PROBE_PHONE_H
#define MOD_PRIVATECALL_PROBE_PHONE_H

#include "jingle/media/addr.h"
#include "jingle/stanza/dtls.h"
#include "jingle/stanza/ice_udp.h"
#include "jingle/stanza/jid.h"
#include "jingle/stanza/jmi.h"
#include "mod_privatecall/probe/client.h"

#define PHONE_CANDIDATES_MAX 8
#define PHONE_TEXT_SIZE 256
#define PHONE_OPUS 111             /* payload types that it offers */
#define PHONE_VP8 96

enum phone_event {
	PHONE_ONLINE,
	PHONE_REGISTERED,          /* the component knows this user */
	PHONE_SEEN,                /* the one who is called is there */
	PHONE_PROPOSED, PHONE_RINGING, PHONE_PROCEED,
	PHONE_INITIATE, PHONE_ACCEPT, PHONE_CANDIDATES,
	PHONE_ENDED,               /* by the other side, or the service */
	PHONE_REFUSED,             /* a stanza of ours: `told` has an error */
	PHONE_GONE                 /* the connection: `told.text` */
};

/* Where media go, as the other side says it. */
struct phone_remote {
	char ufrag[ICE_UFRAG_MAX + 1], pwd[ICE_PWD_MAX + 1];
	unsigned candidates;
	struct {
		struct addr addr;
		uint32_t priority;
	} candidate[PHONE_CANDIDATES_MAX];
	struct dtls_fingerprint print;     /* len 0: none that can be read */
};

/* And our own side of it. */
struct phone_local {
	const char *ufrag, *pwd;
	struct addr addr;
	uint32_t priority;
	const unsigned char *print;        /* SHA-256 of our certificate */
	size_t print_len;
	bool video;
};

struct phone_said {
	char condition[64];        /* of a reason or an error; "": none */
	char text[PHONE_TEXT_SIZE];
};

struct phone {
	struct client *client;
	struct arena *arena;       /* for what is said */
	const char *bare;          /* own address */
	const char *service;       /* the component; NULL: without contacts */
	char *target;              /* who is called, a bare address */
	char *full;                /* own, while online */
	char *peer;                /* whom the call is with, a full address */
	char *rung_by;             /* where `ringing` came from */
	char id[JMI_ID_MAX + 1];   /* of the call, here */
	struct phone_remote remote;
	struct phone_said told;    /* with ENDED, REFUSED, GONE */
	struct phone_said notice;  /* what the service wrote last */
	void (*event_h)(struct phone *p, enum phone_event ev, void *arg);
	void *arg;
};

/* Begins to log in. `target` is whom this one calls, or is called by: an
 * address, of a contact at `service` if there is one. False: no memory. */
bool phone_open(struct phone *p, struct clients *cs, const char *bare,
		const char *password, const char *target,
		const char *service);
void phone_close(struct phone *p);         /* logs out */
void phone_free(struct phone *p);

/* --- what it says (phone_says.c) -------------------------------------- */

/* The contact of `bare` at the component `service` (doc/user.md). */
char *phone_contact(const char *bare, const char *service);
void phone_register(struct phone *p);
void phone_subscribe(struct phone *p, const char *to, const char *type);
void phone_appear(struct phone *p);
void phone_propose(struct phone *p, bool video);
void phone_ringing(struct phone *p);
void phone_proceed(struct phone *p);
void phone_initiate(struct phone *p, const struct phone_local *l);
void phone_accept(struct phone *p, const struct phone_local *l);
void phone_terminate(struct phone *p);
/* The caller, before there is a session. */
void phone_retract(struct phone *p);

/* Answers an iq: with what we can do, a result, an error. */
void phone_answer_info(struct phone *p, const struct xml_elem *iq,
		       const char *node);
void phone_answer(struct phone *p, const struct xml_elem *iq,
		  const char *condition);

/* Ids of our stanzas whose errors matter. */
#define PHONE_ID_REGISTER "probe-register"
#define PHONE_ID_PROPOSE "probe-propose"
#define PHONE_ID_OFFER "probe-offer"
#define PHONE_ID_ACCEPT "probe-accept"

#endif
