/* call_private.h: what the files of the call share, one per stage. */
#ifndef MOD_PRIVATECALL_CALL_CALL_PRIVATE_H
#define MOD_PRIVATECALL_CALL_CALL_PRIVATE_H

#include <string.h>
#include "mod_privatecall/call/call.h"

/* One step: the call, its event, the legs' actions and the call's. */
struct call_run {
	struct call *c;
	const struct call_event *ev;
	struct call_actions *out;
	struct leg_env env;
	unsigned side;             /* whose leg's actions env collects */
	unsigned switcher;         /* CAUSE_SWITCHED: who took another call */
	const char *step;          /* CAUSE_FAILED: which, if not seen by the
				      legs' states */
	bool waited;               /* what ends was a wait, nobody rung */
	bool failed;
	/* An action that memory is missing for is lost, but never a NULL that
	 * a rule must test: the step ends with ENOMEM. */
	struct call_action lost;
};

/* The event's random bytes; whoever takes of them says so by this. */
static inline const unsigned char *call_entropy(struct call_run *r)
{
	r->out->drew = true;
	return r->ev->entropy;
}

/* ICE ends with us, once for each user. */
static inline bool call_has_media(const struct call *c)
{
	return c->mode != MODE_DIRECT;
}

static inline struct leg *call_caller(struct call *c)
{
	return &c->leg[c->caller];
}

static inline struct leg *call_callee(struct call *c)
{
	return &c->leg[!c->caller];
}

/* call.c */
void call_set_state(struct call *c, enum call_state to);
struct call_action *call_do(struct call_run *r, enum call_action_kind kind);
const char *call_name(const struct call *c, unsigned side, struct arena *a);
/* An owned string of the call replaced. */
void call_assign(struct call_run *r, char **slot, const char *value);
/* Orders to a leg go between these two: what it sent is joined, what it
 * reported is handled. */
struct leg_env *call_leg(struct call_run *r, unsigned side);
void call_join(struct call_run *r);

/* address.c: who a leg says it is */
/* At the start of a round, by the address that its caller dialed. */
void call_choose_addresses(struct call_run *r, unsigned side,
			   const struct stanza *dialed);
/* The caller's leg is about to be told to proceed, to `device` of the
 * callee's. */
void call_answer_address(struct call_run *r, const char *device);
/* He comes back, by the address that he dialed. */
void call_return_address(struct call_run *r, unsigned side,
			 const struct stanza *dialed);
/* The id of the callee's leg. */
const char *call_callee_sid(struct call_run *r);

/* ring.c: from the propose to the ringing */
void call_on_open(struct call_run *r, unsigned side,
		  const struct leg_event *ev);
void call_begin(struct call_run *r, unsigned side,
		const struct leg_event *ev);
/* What was begun by rows that the next save replaces ends at once. */
void call_release_old(struct call_run *r);
void call_on_facts(struct call_run *r);
void call_on_device(struct call_run *r);
void call_refuse(struct call_run *r, enum cause cause);
/* A UUIDv4 text of 16 random bytes. */
void call_uuid(char out[CALL_ID_SIZE], const unsigned char random[16]);
uint32_t call_nonce(const unsigned char *random);
void call_rings(struct call_run *r);
/* An offer must go out although nobody answered: plain devices ring by it. */
void call_want_offer(struct call_run *r);

/* answer.c: from the answer to both sides up */
void call_on_answered(struct call_run *r, const struct leg_action *a);
void call_on_offer(struct call_run *r, unsigned side,
		   const struct leg_action *a);
void call_on_accept(struct call_run *r, const struct leg_action *a);

/* The offer that is kept goes to the device that answered. */
void call_offer_now(struct call_run *r);

/* mode.c: what `auto` comes to */
/* `room`, whatever the offer. */
bool call_needs_room(const struct settings_site *s);
enum media_mode call_choose_mode(struct call_run *r,
				 const struct xml_elem *offer);
/* What the answer shows of its device, for the choice of later rounds. */
void call_learn_bundles(struct call_run *r, const struct xml_elem *answer);

/* transport.c: who has which transport of the media process */
/* Decides on the mode. True: the offer may go to the callee now; else later,
 * or the call has been ended. */
bool call_offer_may_go(struct call_run *r, const struct xml_elem *tree);
/* Why not, to be told; insecure media are another reason than others. */
const char *call_lack_text(enum leg_lack lack);
const char *call_lack_reason(enum leg_lack lack);
struct call_order *call_order(struct call_run *r, enum call_order_kind kind,
			      unsigned transport);
/* One more transport is asked for: its number; -1: there are not so many. */
int call_open_transport(struct call_run *r);
/* Room: of the transports that both have accepted media are told whom to
 * expect, and their numbers. */
void call_expect_both(struct call_run *r);
/* The same, of him who waits for the other: nothing is to be passed yet. */
void call_expect_caller(struct call_run *r);
/* Media towards us, of who comes without ringing. */
bool call_begin_room(struct call_run *r);
/* What he said of his ICE too early is said now. */
void call_take_kept_ice(struct call_run *r, unsigned side);
/* What waited for transports, or for the answer to him, goes on. */
void call_release(struct call_run *r, unsigned side);
/* Transports that only he of `side` had are not needed any more. */
void call_drop_own(struct call_run *r, unsigned side);
/* Contents that were to come do not. */
void call_stop_adding(struct call_run *r);
/* False: the call has been ended. */
bool call_answer_fits(struct call_run *r, const struct xml_elem *tree);
/* Both are to be connected now. */
void call_start_ice(struct call_run *r, const struct xml_elem *answer);
void call_take_ice(struct call_run *r, unsigned side,
		   const struct xml_elem *tree);
void call_on_ice(struct call_run *r, unsigned side,
		 const struct leg_action *a);
/* Who sends cannot be trusted: the call ends; `step`: why. */
void call_insecure(struct call_run *r, const char *step);
void call_on_transport_info(struct call_run *r, unsigned side,
			    const struct leg_action *a);
/* True: it is not to be relayed, or not yet. */
bool call_media_takes(struct call_run *r, unsigned side,
		      const struct leg_action *a);
void call_on_ready(struct call_run *r);
/* Media have the transport still: what they may not have heard of it. */
void call_say_again(struct call_run *r);
/* Transports that were asked for do not come. */
void call_no_media(struct call_run *r);
/* One of its transports; a free one where it has none. */
const struct call_transport *call_transport(const struct call *c,
					    unsigned number);
void call_media_close(struct call_run *r);

/* media.c: the events and deadlines of the media process */
void call_on_media(struct call_run *r);
int64_t call_media_deadline(const struct call *c,
			    const struct settings_site *s);
/* True: something of it was due. */
bool call_media_time(struct call_run *r);
/* What a call that is not connected lacks, in words; NULL: no memory. */
const char *call_missing_step(const struct call *c, struct arena *a);

/* busy.c: crossing and second proposes (glare, re-entry) */
bool call_on_second(struct call_run *r, unsigned side,
		    const struct leg_event *ev);

/* return.c: one leaves a call of mode `room` and comes back */
/* Who began this round is in it alone: nobody was rung (`rejoin = notify`). */
bool call_waits(const struct call *c);
/* This round is to be such a one. */
bool call_may_wait(const struct call_run *r);
void call_wait(struct call_run *r);
/* The other one is there, and kept for him, until the window ends (F23). */
bool call_may_return(const struct call *c, unsigned side, int64_t now);
/* He is about to. */
bool call_returns(const struct call *c, unsigned side);
/* His visit ends; `said`: by himself. False: then the call is to end. */
bool call_leave(struct call_run *r, unsigned side, const char *reason,
		bool said);
/* Each is a notice to the other: they have a limit, as calls have. */
bool call_over_returns(struct call_run *r);
/* A propose or session-initiate of who may return. */
void call_return(struct call_run *r, unsigned side,
		 const struct leg_event *ev);
void call_return_offer(struct call_run *r, unsigned side,
		       const struct xml_elem *offer);
/* Media towards him begin anew. */
void call_renew(struct call_run *r, unsigned side, unsigned number);
/* He does not: `reason` NULL: he said so himself. */
void call_return_over(struct call_run *r, unsigned side, const char *reason,
		      const char *text);
/* A transport more may be as it is to be. */
void call_return_ready(struct call_run *r);
/* True: these credentials were for it. */
bool call_return_credentials(struct call_run *r, unsigned side);
void call_return_fails(struct call_run *r);
void call_return_restored(struct call_run *r);

/* room.c: a running session: relaying between the legs */
void call_on_relay(struct call_run *r, unsigned side,
		   const struct leg_action *a);
void call_on_trickle(struct call_run *r, unsigned side,
		     const struct leg_action *a);

/* How long an unavailable device is waited for. */
int64_t call_patience(const struct call *c, const struct settings_site *s);

/* end.c: every way a round ends */
void call_log_visit(struct call_run *r, unsigned side, const char *reason);
/* X8: the other one is told that he of `side` is back. */
void call_notify_return(struct call_run *r, unsigned side);
void call_end(struct call_run *r, enum cause cause, const char *reason,
	      const char *text, int by);
void call_on_finish(struct call_run *r, unsigned side, const char *reason,
		    const char *text);
void call_flush_finishes(struct call_run *r);
/* Nobody can enter it any more. */
void call_close(struct call_run *r);
/* False for ends that are not worth a row of the store. */
bool call_has_row(const struct call *c);
void call_on_time(struct call_run *r);
void call_on_restored(struct call_run *r);
void call_note_deaf(struct call_run *r);
void call_on_cut(struct call_run *r);
void call_on_linked(struct call_run *r);

#endif
