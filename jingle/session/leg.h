/* leg.h: one user's JMI + Jingle dialogue with us, a state machine.
 *
 * A leg knows the protocol (XEP-0353, XEP-0166) and never decides. What the
 * user did comes in by leg_step(); what the call wants goes out by the orders
 * below it. Both append to a list of actions: stanzas to send, and reports to
 * the call. Pure: time and entropy are parameters.
 *
 *            caller's leg                        callee's leg
 *    IDLE -> PROPOSED -> PROCEEDED      IDLE -> RINGING -> ANSWERED
 *              |            |                     |           |
 *              +--------> OFFERED                 |       INITIATED
 *                           |                     |           |
 *                           +----> ACTIVE <-------+-----------+
 *                   any of them -> ENDED -> (leg_reset) IDLE
 */
#ifndef JINGLE_SESSION_LEG_H
#define JINGLE_SESSION_LEG_H

#include <stdint.h>
#include "jingle/stanza/ice_udp.h"
#include "jingle/stanza/jingle.h"
#include "jingle/stanza/jmi.h"
#include "jingle/stanza/stanza.h"

#define LEG_DEVICES_MAX 64         /* rung devices of one user */
#define LEG_CONTENTS_MAX 16        /* contents of one session, ever */
#define LEG_RELAYED_MAX 64         /* relayed IQs whose answer is awaited */
#define LEG_SENT_MAX 256           /* our IQs whose answer is awaited; those
				      that no rule needs, dropped first */
#define LEG_EARLY_MAX 64           /* actions kept for later */
#define LEG_KEPT_BYTES (128 * 1024) /* of one kept tree */
#define LEG_EARLY_BYTES (256 * 1024) /* of all kept actions' trees */
#define LEG_TRANSPORTS_MAX 8       /* whose ICE ends with us */
#define LEG_SAYS_MAX (16 * 1024)   /* of the descriptions of one leg */
#define LEG_RACED_REJECT_MS 28000  /* Conversations' own ring time-out */

enum leg_role { LEG_CALLER, LEG_CALLEE };

enum leg_state {
	LEG_IDLE,
	LEG_PROPOSED,      /* caller: his propose is here, unanswered */
	LEG_PROCEEDED,     /* caller: we said proceed, his initiate is due */
	LEG_OFFERED,       /* caller: his session-initiate is here */
	LEG_RINGING,       /* callee: his devices were proposed to */
	LEG_ANSWERED,      /* callee: one said proceed, our initiate is due */
	LEG_INITIATED,     /* callee: our session-initiate is out */
	LEG_ACTIVE,        /* session-accept went through */
	LEG_ENDED,
	LEG_STATES
};
/* The one table of transitions: leg_may[from] has the bit 1 << to. Setting a
 * state asserts it. */
extern const unsigned leg_may[LEG_STATES];
const char *leg_state_name(enum leg_state s);

/* When a stanza may leave (architecture.md, Durability). */
enum leg_class {
	LEG_SEND_HELD,     /* behind what the call must have stored */
	LEG_SEND_FREE,     /* at once: IQ answers, our own session-info */
	LEG_SEND_AFTER     /* behind this leg's held initiate or accept, if one
			      waits; else at once: terminate, transport-info,
			      all that is relayed */
};

/* What a leg tells its call. */
enum leg_report {
	LEG_R_RINGING,     /* a device rings */
	LEG_R_ANSWERED,    /* a device accepted; tree: its session-accept when
			      it speaks plain Jingle, else NULL */
	LEG_R_DECLINED,    /* the user does not want: reason, text as given */
	LEG_R_UNANSWERED,  /* a device's own ring time-out */
	LEG_R_BUSY,        /* every rung device said busy */
	LEG_R_BLOCKED,     /* the server bounced our propose */
	LEG_R_NO_DEVICE,   /* no rung device is left that could answer: the
			      last one's reason */
	LEG_R_TIE_BREAK,   /* a device gave way to its own propose; text: its
			      full JID */
	LEG_R_CANCELLED,   /* the caller took his call back */
	LEG_R_OFFER,       /* tree: his session-initiate */
	LEG_R_ACCEPT,      /* tree: his session-accept */
	LEG_R_RELAY,       /* tree: for the other leg; answer to `relay` */
	LEG_R_TRICKLE,     /* tree: transport-info or session-info for the
			      other leg, which is answered already */
	LEG_R_ICE,         /* media: his side of transport `number`: ice */
	LEG_R_REPLIED,     /* the user answered what was relayed to him: for
			      the other leg's `relay`; error NULL: result */
	LEG_R_HANGUP,      /* session-terminate: reason, text */
	LEG_R_FINISH,      /* his client's JMI finish: reason, text */
	LEG_R_LOST         /* his device is gone or does not answer */
};

struct leg_action {
	struct leg_action *next;
	bool is_report;
	/* a stanza */
	struct xml_elem *stanza;
	enum leg_class class;
	bool asks;                 /* an iq set whose answer comes back */
	bool opens;                /* session-initiate or -accept */
	/* a report */
	enum leg_report report;
	const char *reason, *text;
	struct xml_elem *tree;     /* <jingle/> in the arena, repaired */
	enum jingle_action action; /* of tree */
	unsigned relay;            /* number of the IQ to answer */
	struct xml_elem *error;    /* <error/> of a reply */
	const struct xml_elem *said;       /* ANSWERED: his <proceed/> */
	unsigned number;           /* ICE */
	const struct ice_transport *ice;   /* ICE: pwd NULL: credentials are
				      not to be taken */
};

/* Where our end of ICE is reached, as users are told. */
struct leg_candidate {
	const char *foundation;
	const char *ip;
	unsigned port;
	const char *rel_ip;        /* NULL: a host candidate, else srflx */
	unsigned rel_port;
	unsigned priority;
};

/* What every step gets. The arena holds all actions. */
struct leg_env {
	struct arena *arena;
	int64_t now;               /* monotonic ms */
	const struct leg_candidate *candidates;    /* media: ours */
	unsigned candidates_n;
	struct leg_action *first, *last;
};

struct leg_device {
	struct leg_device *next;
	char *jid;                 /* full */
	char *sid;                 /* NULL: the leg's */
	bool plain;                /* without JMI: rung by session-initiate */
	bool by_full;              /* proposed to by its full JID */
	bool bundles;              /* as its struct leg_target says */
	bool gone;                 /* unavailable now */
	bool unstopped;            /* ... when it was to be stopped */
	bool done;                 /* said no, or was stopped */
	bool busy;                 /* its no was busy */
	bool initiated;            /* plain: our session-initiate is out */
	bool fresh;                /* ... and what was kept is still due */
	int64_t rung;              /* monotonic ms of its propose */
};

struct leg_content {
	struct leg_content *next;
	char *name;                /* in both legs the same */
	char *his;                 /* room: as he names it; NULL: the same */
	const char *spelled;       /* creator as this user writes it, of
				      leg_creator(); NULL: not known */
	char *ufrag, *pwd;         /* this user's, for repair */
	char *print;               /* media: his fingerprint there, as first
				      given; NULL: not yet (leg_dtls.c) */
	char *says;                /* room: his <description/>, filtered and
				      packed (leg_pack.c) */
	int transport;             /* media: its number and 1; 0: none */
	int home;                  /* room: its home (see leg_home()) and 1;
				      0: `transport` */
	bool by_callee;            /* the real creator, in both legs the same:
				      the callee is the responder in both */
	bool fingerprint;          /* he has given one */
	bool begins;               /* print: as who begins (`active`) */
	bool offered;              /* mid call, and he has not answered; not
				      stored */
};

struct leg_ours {                  /* of a transport that ends with us */
	char *ufrag, *pwd;         /* as this user is told; NULL: none */
	char *print;               /* room: our fingerprint there */
};

struct leg_relayed {               /* an IQ of this user we still owe */
	struct leg_relayed *next;
	unsigned number;
	const char *id;            /* his; the texts end with this */
	const char *from;          /* his device */
	const char *to;            /* our address, as he wrote it */
};

struct leg_sent {                  /* an IQ of ours to this user */
	struct leg_sent *next;
	const char *id;            /* the texts end with this */
	enum jingle_action action;
	unsigned relay;            /* the other leg's number; 0: our own */
	const char *device;
};

struct leg_early {                 /* an action kept for later */
	struct leg_early *next;
	struct xml_kept *kept;
	enum jingle_action action;
	unsigned relay;            /* number of the IQ to answer; 0: none */
	char *device;              /* callee: of which ringing device */
};

struct leg {
	enum leg_role role;
	enum leg_state state;
	bool jmi;                  /* dialogue began by JMI */
	bool gateway;              /* we speak from an address of ours, else
				      as the other user */
	bool restored;             /* from the store: states may be behind */
	bool finish_due;           /* a finish must reach the user */
	bool finished;             /* ... and has been sent */
	bool failed;               /* out of memory while changing it */
	bool away;                 /* `device` is unavailable now */
	bool fingerprints;         /* restored: all contents had one */
	bool ends_ice;             /* his ICE ends with us */
	bool ends_dtls;            /* and his DTLS: mode `room` */
	bool turned;               /* room: he began the session, though the
				      call knows him as the callee */
	bool absent;               /* room: the call goes on without him */
	bool stranger;             /* room: the other was not told of his
				      SSRCs */
	int64_t returned;          /* room: wall ms; 0: he never left */
	char *user;                /* bare JID */
	char *own;                 /* bare JID we speak from */
	char *resource;            /* with it */
	char *dialed;              /* plain Jingle: our address as he dialed
				      it, kept for the session; else NULL */
	char *sid;
	char *old_sid;             /* of the round before, for late stanzas */
	char *device;              /* full JID calling or answered, or NULL */
	unsigned media;            /* MEDIA_*, as proposed */
	uint32_t nonce;            /* of our stanza ids */
	unsigned next_id, next_relay;
	unsigned relayed_n, early_n, sent_n;
	size_t early_bytes;
	struct leg_device *devices;
	struct leg_content *contents;
	struct leg_ours *ours;     /* LEG_TRANSPORTS_MAX; NULL: none */
	struct leg_relayed *relayed;
	struct leg_sent *sent;
	struct leg_early *early;
	struct xml_kept *offer;    /* session-initiate kept until answered */
};

/* A leg between `user` (bare) and `own` (bare, ours). 0 or ENOMEM. */
int leg_init(struct leg *l, const char *user, const char *own,
	     const char *resource, bool gateway);
/* From now on it speaks from this full address. */
void leg_speak_as(struct leg *l, const char *full, bool gateway);
void leg_clear(struct leg *l);     /* frees what it owns; zeroes */
/* Back to IDLE for a new round; keeps user and own. `nonce` of new ids. */
void leg_reset(struct leg *l, enum leg_role role, uint32_t nonce);

/* --- what the user did ------------------------------------------------ */
enum leg_event_kind {
	LEG_EV_JMI,                /* a JMI message */
	LEG_EV_JINGLE,             /* an iq set with <jingle/> */
	LEG_EV_RECEIPT,            /* XEP-0184 received: counts as ringing */
	LEG_EV_BOUNCE,             /* message error for our message `id` */
	LEG_EV_RESULT,             /* the answer to our iq `id` */
	LEG_EV_ERROR,              /* an error to our iq `id` */
	LEG_EV_TIMEOUT,            /* no answer to our iq `id` */
	LEG_EV_GONE,               /* device `jid` unavailable */
	LEG_EV_BACK                /* device `jid` available again */
};
struct leg_event {
	enum leg_event_kind kind;
	const struct stanza *stanza;
	const struct jmi *jmi;
	const struct jingle *jingle;
	const char *id, *jid;
	struct xml_elem *error;    /* LEG_EV_ERROR: the stanza's <error/> */
};
/* 0; ENOENT: not of this leg (unknown sid, wrong device): an iq was answered
 * with item-not-found + unknown-session, nothing changed; EBADMSG: refused
 * with an error (iq answered); ENOMEM. */
int leg_step(struct leg *l, const struct leg_event *ev, struct leg_env *env);

/* Takes a propose or session-initiate as the start of the caller's leg. */
int leg_open(struct leg *l, const struct leg_event *ev, struct leg_env *env);

/* Refuses a propose or session-initiate that never becomes this leg's: one
 * that crosses ours (tie_break), or from a device that is not to be heard. */
void leg_turn_away(struct leg *l, const struct leg_event *ev,
		   const char *reason, bool tie_break, struct leg_env *env);

/* --- what the call orders --------------------------------------------- */
struct leg_target {                /* a device to ring */
	const char *jid;           /* full */
	bool plain;                /* no JMI in its caps */
	bool by_full;              /* the bare JID does not reach it */
	bool bundles;              /* known to use BUNDLE (XEP-0338) */
};
/* Callee: propose to the bare JID once (if a device is reached by it), and to
 * full JIDs where needed; plain devices wait for leg_offer(). */
void leg_ring(struct leg *l, const char *sid, unsigned media,
	      const struct leg_target *t, unsigned n, struct leg_env *env);
/* Callee: one more device came while ringing. sid NULL: the leg's; else a
 * ring of its own (again after a tie-break). */
void leg_ring_more(struct leg *l, const struct leg_target *t, const char *sid,
		   struct leg_env *env);
/* Caller: tell him that it rings. */
void leg_ringing(struct leg *l, struct leg_env *env);
/* Caller: proceed (JMI); nothing for plain Jingle. `said`: what the callee's
 * device said, NULL: nothing yet; what we do not know of it is passed on where
 * we speak as that user (OMEMO's <device/> is bound to his address). */
void leg_proceed(struct leg *l, const struct xml_elem *said,
		 struct leg_env *env);
/* Caller: refuse before an answer (reject, or terminate for plain). */
void leg_refuse(struct leg *l, const char *reason, const char *text,
		bool tie_break, struct leg_env *env);
/* Callee: the offer is here: initiate to the answered device, or to all
 * ringing plain ones. `tree` is the caller's <jingle/>. Here and in the two
 * that follow it lives as long as the arena of `env`: stanzas share its
 * strings. */
void leg_offer(struct leg *l, const struct xml_elem *tree,
	       struct leg_env *env);
/* Asks the user's client whether the session still lives there (XEP-0166,
 * 6.8); LEG_R_LOST when it does not. */
void leg_ping(struct leg *l, struct leg_env *env);
/* Caller: the answer. */
void leg_accept(struct leg *l, const struct xml_elem *tree,
		struct leg_env *env);
/* Passes on an action of the other leg; its answer comes back as
 * LEG_R_REPLIED with `relay` (0: nobody waits). A ringing leg passes it to
 * the plain devices that have the offer. */
void leg_relay(struct leg *l, const struct xml_elem *tree,
	       enum jingle_action action, unsigned relay, struct leg_env *env);
/* Answers IQ `relay` of this leg's user. error NULL: result. */
void leg_reply(struct leg *l, unsigned relay, const struct xml_elem *error,
	       struct leg_env *env);
void leg_reply_condition(struct leg *l, unsigned relay, const char *type,
			 const char *condition, struct leg_env *env);
/* Callee: the device that answered, or all that still may, are known to use
 * BUNDLE. */
bool leg_bundles(const struct leg *l);
/* Caller: keeps his session-initiate until somebody answers. */
void leg_keep_offer(struct leg *l, const struct xml_elem *tree);
/* Keeps an action that this user sent before the other side, or the media
 * process, is ready (`relay`: the number of its IQ, if that is not answered).
 * Over the limits the oldest is dropped, but what waits for an answer is not:
 * then this one is not kept. */
void leg_keep(struct leg *l, const struct xml_elem *tree,
	      enum jingle_action action, unsigned relay, const char *device);
/* Takes the oldest kept action of `device` (NULL: any); NULL: none. A copy in
 * the arena. */
struct xml_elem *leg_take_kept(struct leg *l, const char *device,
			       enum jingle_action *action_r,
			       unsigned *relay_r, struct arena *a);
/* Callee, ringing: devices that have just got the offer get what `from` has
 * kept so far. */
void leg_catch_up(struct leg *l, const struct leg *from, struct leg_env *env);
void leg_drop_kept(struct leg *l);         /* his offer, too */
/* Callee: rung devices that could still answer. */
unsigned leg_ringable(const struct leg *l);
/* Callee: the first of the ringing devices that cannot ring before it has the
 * offer; NULL: none. */
const char *leg_wants_offer(const struct leg *l);
/* How ringing ends without an answer on this leg. */
enum leg_stop {
	LEG_STOP_ELSEWHERE,        /* answered or declined on another device */
	LEG_STOP_CANCEL,           /* cancelled, unanswered: stored retract */
	LEG_STOP_SILENT            /* withdrawn without an entry (glare) */
};
/* Callee: every device still ringing stops, exactly once; `but` (full JID)
 * is left alone. */
void leg_stop(struct leg *l, enum leg_stop how, const char *reason,
	      const char *text, const char *but, struct leg_env *env);
/* The same now for the devices that were away meanwhile: a new round forgets
 * them, and no session of the old one is left that it could disturb. */
void leg_stop_away(struct leg *l, struct leg_env *env);
/* After a crash: the end of a ringing once more, to each device alone (but
 * the one that answered) and without a trace; a client that knows it ended
 * ignores it. */
void leg_repeat_stop(struct leg *l, const char *reason, struct leg_env *env);
/* After a crash: the end of an answered session once more. */
void leg_repeat_end(struct leg *l, struct leg_env *env);
/* Ends the leg from whatever state, by what the state needs: reject, retract,
 * terminate; and answers what is owed. */
void leg_end(struct leg *l, const char *reason, const char *text,
	     struct leg_env *env);
/* The user ended it himself: nothing but ENDED. */
void leg_ended(struct leg *l, struct leg_env *env);
/* The one JMI finish after the end (relayed or ours). */
void leg_finish(struct leg *l, const char *reason, const char *text,
		struct leg_env *env);

/* --- modes `blind` and `room`: ICE ends with us (leg_media.c, leg_dtls.c) */
enum leg_lack {
	LEG_LACKS_NOTHING, LEG_LACKS_ICE, LEG_LACKS_FINGERPRINT,
	LEG_LACKS_MUX,
	LEG_LACKS_PLAIN,           /* room: it is encrypted for the other */
	LEG_LACKS_HASH             /* room: of a hash that is not to be trusted
				      or not known */
};
/* The first thing that a content of <jingle/> lacks for it; `dtls`: in mode
 * `room`. */
enum leg_lack leg_lacks(const struct xml_elem *tree, bool dtls,
			struct arena *a);
/* False: `tree` gives a content that has a transport another fingerprint than
 * the one it gave first, which is learned here. */
bool leg_keeps_fingerprints(struct leg *l, const struct xml_elem *tree,
			    struct arena *a);
/* Room: his fingerprint on a transport, as dtls_text(), and whether he begins
 * DTLS there; NULL: not yet known. */
const char *leg_print(const struct leg *l, unsigned number, bool *begins_r);
/* From now on this user is told of our transports only; `dtls`: and of our
 * fingerprints, and of nothing that does not fit ours (leg_filter.c). */
void leg_end_ice(struct leg *l, bool dtls);
void leg_forget_ours(struct leg *l);       /* not any more */
/* Our end of a transport towards this user; NULL: none. */
const struct leg_ours *leg_ours(const struct leg *l, unsigned number);
void leg_set_ours(struct leg *l, unsigned number, const char *ufrag,
		  const char *pwd);
/* Room: as dtls_text(). */
void leg_set_print(struct leg *l, unsigned number, const char *print);
/* The transport of a content; -1: none. */
void leg_set_transport(struct leg *l, const char *name, int number);
int leg_transport(const struct leg *l, const char *name);
bool leg_knows(const struct leg *l, const char *name);      /* a content */
/* Room: the home of a content is the transport of which the numbers of its
 * streams are, the same in both legs. It is another one than the content's own
 * where this user has apart what the other has on one. -1: no such content. */
void leg_set_home(struct leg *l, const char *name, int number);
int leg_home(const struct leg *l, const char *name);
/* The home of what he has on transport `number`, if that is another one, and
 * its media; -1: it is at home there. */
int leg_joins(const struct leg *l, int number, bool *video_r,
	      struct arena *a);
/* He has a content of both that is not at home. */
bool leg_has_joined(const struct leg *l, const struct leg *other);
/* That transport is the home of what he has on another one. */
bool leg_hosts(const struct leg *l, unsigned number);
/* What is at home there he has on more than one transport. */
bool leg_is_apart(const struct leg *l, int home);
/* None has that one any more. */
void leg_drop_transport(struct leg *l, unsigned number);
bool leg_uses(const struct leg *l, int number);
/* The transport of an earlier content in which this user gave the same
 * credentials: he has both on one (BUNDLE). -1: none. */
int leg_shares(const struct leg *l, const char *name);
/* Reports what `tree` (in the arena) says of this user's ICE: LEG_R_ICE. */
void leg_take_ice(struct leg *l, const struct xml_elem *tree,
		  struct leg_env *env);
/* The same of the credentials he gave last, on transport `number`, -1: all. */
void leg_take_known(struct leg *l, int number, struct leg_env *env);
/* Room: keeps what `tree` says of media (leg_says.c). False: it says more than
 * LEG_SAYS_MAX. */
bool leg_keep_says(struct leg *l, const struct xml_elem *tree,
		   struct arena *a);
/* Room: of the contents of `tree` nothing stays kept that `by` has not said,
 * too. 0 or ENOMEM. */
int leg_cut_says(struct leg *l, const struct leg *by,
		 const struct xml_elem *tree, struct arena *a);
/* Tells him our credentials and candidates of a transport. */
void leg_say_ours(struct leg *l, unsigned number, struct leg_env *env);

/* --- room: he comes back (leg_return.c) -------------------------------- */
/* Both contents are in a BUNDLE group (XEP-0338) of `tree`. */
bool leg_bundled(const struct xml_elem *tree, const char *one,
		 const char *other, struct arena *a);
/* His contents get the names of those of `other` that they are to be; a copy of
 * his offer with these names. */
struct xml_elem *leg_pair(struct leg *l, const struct leg *other,
			  const struct xml_elem *offer, struct arena *a);
/* The other has media for a content of this name. */
bool leg_is_paired(const struct leg *other, const char *name);
/* Both have a codec of this media. */
bool leg_has_common(struct leg *l, const struct leg *other, const char *media,
		    struct arena *a);
/* The answer to his offer, as leg_pair() has given it. `other` NULL: nobody is
 * there yet, it is made of what he has said himself. */
struct xml_elem *leg_answer(struct leg *l, const struct leg *other,
			    const struct xml_elem *offer, struct arena *a);
/* What he was answered that nobody sends goes on with nobody's, ever. */
void leg_forget_unpaired(struct leg *l, const struct leg *other,
			 struct arena *a);
/* Ends his session for he has another: `to` is its id (XEP-0353, migrated). */
void leg_migrate(struct leg *l, const char *to, struct leg_env *env);

/* --- for the store ---------------------------------------------------- */
enum { LEG_FLAG_JMI = 1, LEG_FLAG_GATEWAY = 2, LEG_FLAG_FINISH_DUE = 4,
       LEG_FLAG_FINGERPRINTS = 8, LEG_FLAG_TURNED = 16,
       LEG_FLAG_ABSENT = 32, LEG_FLAG_STRANGER = 64 };
unsigned leg_flags(const struct leg *l);
/* Devices and contents as text, one a line; NULL: no memory. */
char *leg_data(const struct leg *l, struct arena *a);
/* Fills a leg from its row. 0; EBADMSG: the row is not ours; ENOMEM. */
int leg_restore(struct leg *l, enum leg_role role, enum leg_state state,
		unsigned flags, const char *device, const char *sid,
		const char *data, uint32_t nonce);

/* The user gave a DTLS fingerprint (XEP-0320) for every content. */
bool leg_has_fingerprints(const struct leg *l);

/* Asserts the leg's invariants. */
void leg_check(const struct leg *l);
/* ... and that of what both legs of a call have the home is the same. */
void leg_check_homes(const struct leg *l, const struct leg *other);

#endif
