/* relay_private.h: what the files of the relay share: a leg, a transport, a
 * call, and the tables that find them.
 */
#ifndef MOD_PRIVATECALL_MEDIA_RELAY_PRIVATE_H
#define MOD_PRIVATECALL_MEDIA_RELAY_PRIVATE_H

#include "jingle/media/demux.h"
#include "jingle/media/dtls_srtp.h"
#include "jingle/media/srtp.h"
#include "mod_privatecall/media/relay.h"

#define LEG_SEEN_MAX 16            /* addresses of one leg */
#define CHECK_WAYS 4               /* places that an id may take */
#define TROUBLES_MAX 4             /* that are said of one handshake: anybody
				      may make more */
#define DTLS_HANDSHAKE 22          /* first byte of a record with part of it
				      (RFC 6347, 4.1) */

struct leg;

struct name {                      /* a ufrag of ours; in the table when set */
	struct name *next;
	struct leg *leg;
	char ufrag[ICE_OUR_UFRAG_SIZE];
};

struct seen {                      /* an address of his, shown by a check */
	struct seen *next;
	struct leg *leg;
	struct addr addr;
	int64_t until;             /* 0: free, and in no table */
};

struct room_leg {                  /* mode `room`: DTLS and SRTP end here */
	struct dtls_srtp *dtls;    /* NULL: his fingerprint is not known yet */
	struct srtp *in, *out;     /* NULL: there are no keys yet */
	bool done;                 /* DTLS has ended one way or the other */
	bool sees;                 /* he has reported of a picture */
	uint8_t troubles;          /* said of this handshake */
	const char *why, *alert;   /* said last */
	struct rewrite sends;      /* what he sends, as the other knows it */
	/* Where he has media apart that the other has on one transport: */
	struct leg *home;          /* on the others: his leg there, whose
				      numbers go on; NULL: its own */
	struct leg *way[REWRITE_MEDIA];    /* on that: which leg of his media
				      go to; NULL: this one */
};

struct leg {                       /* one side of a transport */
	struct ice_agent agent;
	struct transport *transport;
	uint8_t side;              /* enum wire_side */
	uint8_t told;              /* CONNECTED, LOST, FAILED: said last */
	uint8_t held;              /* of his datagrams, waiting */
	uint32_t steps;            /* said, bit 1 << step */
	struct wire_traffic traffic;
	struct name name[2];       /* the current one, that of before */
	struct seen seen[LEG_SEEN_MAX];
	struct room_leg *room;     /* NULL: mode `blind` */
	int64_t deadline;          /* its place in the heap goes by that */
	uint32_t heap_at;          /* from 1; 0: not in it */
};

struct transport {
	struct call *call;
	uint8_t number;            /* as control says */
	uint32_t slot;             /* its place in relay.slot */
	uint32_t serial;           /* no other one ever had it */
	struct leg leg[WIRE_SIDES];
};

struct call {
	struct call *next;         /* of the same bucket */
	char id[WIRE_CALL_SIZE];
	uint8_t mode;              /* enum wire_mode */
	uint8_t held;              /* of its datagrams, waiting */
	struct dtls_identity *identity;            /* `room`: ours */
	struct transport *transport[WIRE_TRANSPORTS_MAX];  /* NULL: not open */
	struct wire_closed sum;    /* of those dropped; all drops */
	struct rewrite_heard heard[WIRE_SIDES];    /* of what each sent, in
					      directions that have ended */
};

struct asked {                     /* a check of ours: its answer's leg */
	unsigned char id[STUN_ID_SIZE];
	uint32_t leg;              /* 2 * slot + side */
	uint32_t serial;           /* of the transport; 0: free */
};

struct held {                      /* a ClientHello that waits */
	struct leg *leg;           /* he sent it; NULL: free */
	int64_t until;
	uint64_t order;            /* they go as they came */
	size_t len;
	unsigned char bytes[RELAY_HELD_SIZE];
};

struct relay {
	struct relay_config config;
	struct ice_config ice;
	struct relay_handlers to;
	void *arg;
	int64_t now;
	bool draining;
	uint64_t key;              /* of the hashes */
	uint32_t mask;             /* of all tables of this size */
	struct name **names;
	struct seen **seen;
	struct call **calls;
	struct asked *asked;
	uint32_t turn;             /* whose place a new id takes */
	unsigned n_calls;
	struct transport **slot;   /* NULL: free */
	uint32_t *spare;           /* free slots, a stack */
	uint32_t slots, spares;
	uint32_t serial;           /* the last */
	struct leg **heap;         /* the soonest first */
	uint32_t heap_n;
	struct held held[RELAY_HELD_MAX];
	unsigned n_held;
	uint64_t order;            /* of the last held */
	int64_t held_until;        /* no held one is due before; INT64_MAX */
	uint64_t count[RELAY_COUNTS];
	uint64_t dropped[WIRE_DROPS];
	struct ice_actions out;    /* of the last step of an agent */
	struct dtls_srtp_out dtls; /* and of an association */
	unsigned char packet[RELAY_PACKET_SIZE];   /* that is opened, closed */
};

/* --- relay_table.c: finding ------------------------------------------- */

int table_make(struct relay *r);
void table_free(struct relay *r);

struct call *table_call(const struct relay *r, const char *id);
void table_add_call(struct relay *r, struct call *c);
void table_remove_call(struct relay *r, struct call *c);

/* The first characters of a user name, as many as ours has; NULL: none. */
struct leg *table_named(const struct relay *r, const void *ufrag);
/* Both names of a leg, as its agent has them now; or none of them. */
void table_name(struct relay *r, struct leg *l, bool none);

/* NULL: none, or not in the last 30 s. */
struct leg *table_seen(const struct relay *r, const struct addr *from);
/* A right packet of his came from there now. */
void table_see(struct relay *r, struct leg *l, const struct addr *from);
void table_forget(struct relay *r, struct leg *l);

struct leg *table_asked(const struct relay *r, const unsigned char *id);
void table_ask(struct relay *r, const struct leg *l, const unsigned char *id);

/* A slot for the transport; false: none is free. */
bool table_take_slot(struct relay *r, struct transport *t);
void table_give_slot(struct relay *r, struct transport *t);

/* Puts a leg where its deadline belongs; INT64_MAX takes it out. */
void heap_put(struct relay *r, struct leg *l, int64_t deadline);

/* --- relay.c: one step of an agent ------------------------------------ */

void relay_step(struct relay *r, struct leg *l, struct ice_event *ev);
/* When the leg has something to do. */
void relay_settle(struct relay *r, struct leg *l);
void relay_say_step(struct relay *r, struct leg *l, enum wire_step step);

/* --- relay_pass.c: DTLS and SRTP of mode `blind`; what waits ------------ */

struct leg *relay_other(struct leg *l);
void pass_drop(struct relay *r, struct leg *l, enum wire_drop why);
void pass_send(struct relay *r, struct leg *to, const void *bytes, size_t len);
bool pass_is_hello(const unsigned char *bytes, size_t len);
/* A ClientHello of his waits, if there is room. */
void pass_hold(struct relay *r, struct leg *l, const void *bytes, size_t len);
/* What waited of his goes to `take_h`, in its order. */
void pass_held(struct relay *r, struct leg *l,
	       void (*take_h)(struct relay *r, struct leg *l,
			      const unsigned char *bytes, size_t len));
/* Mode `blind`: to the other leg. */
void pass_on(struct relay *r, struct leg *l, const unsigned char *bytes,
	     size_t len);
void pass_expire(struct relay *r);         /* what waited for too long */
void pass_forget(struct relay *r, struct leg *l);
void pass_packet(struct relay *r, const struct addr *from,
		 const unsigned char *bytes, size_t len);

/* --- relay_room.c: DTLS and SRTP of mode `room` -------------------------- */

bool room_new(struct leg *l);              /* false: no memory */
void room_free(struct leg *l);
/* What is known of the direction that he sends goes to the call's sums. */
void room_sum(struct leg *l);
/* Both legs are there. */
void room_begin(struct relay *r, struct transport *t);
/* He comes anew: DTLS and what the rest knows of him. */
void room_renew(struct relay *r, struct leg *l);
void room_map(struct relay *r, struct leg *l, const struct rewrite_map *map);
void room_join(struct relay *r, struct leg *l, const struct wire_join *join);
/* His certificate's fingerprint is known, or said again. */
void room_secure(struct relay *r, struct leg *l,
		 const struct wire_security *s);
/* ICE has a way to him. */
void room_connected(struct relay *r, struct leg *l);
void room_packet(struct relay *r, struct leg *l, enum demux kind,
		 const unsigned char *bytes, size_t len);
void room_time(struct relay *r, struct leg *l);
int64_t room_deadline(const struct leg *l);
void room_check(const struct leg *l);      /* asserts the invariants */

#endif
