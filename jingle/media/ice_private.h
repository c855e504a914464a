/* ice_private.h: what the files of the ICE agent share. */
#ifndef JINGLE_MEDIA_ICE_PRIVATE_H
#define JINGLE_MEDIA_ICE_PRIVATE_H

#include "jingle/media/ice.h"

/* One step. */
struct ice_run {
	struct ice_agent *a;
	const struct ice_event *ev;
	const struct ice_config *config;
	int64_t now;
	struct ice_actions *out;
	uint32_t drawn;            /* pieces taken of the entropy */
};

/* --- ice.c ------------------------------------------------------------ */
void ice_count(struct ice_run *r, enum ice_count n);
/* Random bytes of this step's entropy, never the same twice. */
void ice_draw(struct ice_run *r, void *out, size_t len);
struct ice_action *ice_act(struct ice_run *r, enum ice_action_kind kind);
/* New credentials of ours; what was learned with those of before is gone,
 * but the selected pair. */
void ice_restart(struct ice_run *r);
/* Those of before open nothing any more. */
void ice_drop_credentials(struct ice_agent *a);
/* The credentials that pair `i` is checked with. */
const struct ice_generation *ice_of(const struct ice_agent *a, unsigned i);

/* --- ice_pair.c ------------------------------------------------------- */
void ice_pair_set(struct ice_pair *p, enum ice_pair_state to);
/* 6.1.2.3. */
uint64_t ice_pair_order(const struct ice_run *r, const struct ice_pair *p);
/* The priority of the candidate that the peer learns from our check. */
uint32_t ice_reflexive_priority(const struct ice_run *r,
				const struct ice_pair *p);
/* May it be sent to at all? */
bool ice_allowed(const struct ice_config *config, const struct addr *a);
/* Of the current credentials; ICE_NONE: none. */
unsigned ice_pair_find(const struct ice_agent *a, const struct addr *addr);
/* The address of an authentic request; always gives a pair. */
unsigned ice_pair_reflexive(struct ice_run *r, const struct addr *addr,
			    uint32_t priority);
void ice_add_candidate(struct ice_run *r);
/* A check of this pair goes before all others (7.3.1.4). */
void ice_trigger(struct ice_run *r, unsigned i);
void ice_pair_fail(struct ice_run *r, unsigned i);
/* Is it valid, and its consent alive? */
bool ice_live(const struct ice_pair *p, int64_t now);
bool ice_in_doubt(const struct ice_pair *p, int64_t now);

/* --- ice_in.c --------------------------------------------------------- */
void ice_packet(struct ice_run *r);

/* --- ice_out.c -------------------------------------------------------- */
/* Sends what is signed with our password (an answer) or his; false: no room
 * in this step. */
bool ice_send(struct ice_run *r, const struct stun_msg *m, const char *pwd,
	      const struct addr *to);
/* No check of this pair is repeated any more; late answers count. */
void ice_unrepeat(struct ice_agent *a, unsigned pair);
void ice_set_role(struct ice_run *r, bool controlling);
/* When the next consent check is, after that one. */
int64_t ice_consent_after(struct ice_run *r, int64_t from);
/* Checks that are due again, or have failed. */
void ice_repeat(struct ice_run *r);
/* New ones, by what is selected now. */
void ice_clock(struct ice_run *r);
/* Is there a pair to check, when time has come? */
bool ice_wants_check(const struct ice_agent *a);

#endif
