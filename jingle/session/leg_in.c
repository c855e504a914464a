/* leg_in.c: what a user's client did, as reports to the call (see leg.h).
 *
 * Who may say what: on the caller's leg only the full JID that proposed; on
 * the callee's only rung devices while it rings, then only the one that
 * answered. Everything else is answered like an unknown sid (A01, A09, I17).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "jingle/session/leg_private.h"

/* --- opening a caller's leg ------------------------------------------- */

static const struct why why_not_rtp = {
	.type = "cancel", .condition = "feature-not-implemented",
	.app_ns = NS_JINGLE_ERR, .app = "unsupported-info",
	.text = "Only audio and video calls (XEP-0167) are taken here",
};
static const struct why why_too_many = {
	.type = "wait", .condition = "resource-constraint",
	.text = "Too many contents in this session",
};
static const struct why why_unknown = {
	.type = "cancel", .condition = "item-not-found",
	.app_ns = NS_JINGLE_ERR, .app = "unknown-session",
};
static const struct why why_order = {
	.type = "wait", .condition = "unexpected-request",
	.app_ns = NS_JINGLE_ERR, .app = "out-of-order",
};
static const struct why why_conflict = {
	.type = "cancel", .condition = "conflict",
	.text = "This session exists already",
};
static const struct why why_nothing = {
	.type = "modify", .condition = "bad-request",
	.text = "No content waits for an answer",
};
static const struct why why_busy = {
	.type = "wait", .condition = "resource-constraint",
	.text = "Too many unanswered requests in this session",
};

static int open_jingle(struct leg *l, const struct leg_event *ev,
		       struct leg_env *env)
{
	const struct jingle *j = ev->jingle;
	struct xml_elem *tree;
	unsigned i;
	bool empty;

	if (!j->rtp) {
		leg_error(env, ev->stanza, &why_not_rtp);
		return EBADMSG;
	}
	leg_assign(l, &l->sid, j->sid);
	leg_assign(l, &l->device, ev->stanza->from.full);
	leg_assign(l, &l->dialed, ev->stanza->to.full);
	for (i = 0; i < j->contents; i++)
		l->media |= j->content[i].media;
	if (leg_learn(l, j)) {
		leg_error(env, ev->stanza, &why_too_many);
		return EBADMSG;
	}
	tree = leg_repair_in(l, j, env->arena, &empty);
	leg_result(env, ev->stanza);
	leg_set_state(l, LEG_OFFERED);
	leg_keep_offer(l, tree);
	return l->failed ? ENOMEM : 0;
}

int leg_open(struct leg *l, const struct leg_event *ev, struct leg_env *env)
{
	struct xml_elem *m;

	if (ev->kind == LEG_EV_JINGLE)
		return open_jingle(l, ev, env);
	leg_assign(l, &l->sid, ev->jmi->id);
	leg_assign(l, &l->device, ev->stanza->from.full);
	l->jmi = true;
	l->media = ev->jmi->media;
	leg_set_state(l, LEG_PROPOSED);
	if (l->failed)
		return ENOMEM;
	if (!l->media) {
		m = leg_message(l, env, l->device, JMI_REJECT, l->sid,
				"unsupported-applications", why_not_rtp.text);
		leg_send(l, env, m, LEG_SEND_FREE);
		return EBADMSG;
	}
	return 0;
}

/* --- JMI -------------------------------------------------------------- */

static int report(struct leg_env *env, enum leg_report r, const char *reason,
		  const char *text)
{
	struct leg_action *a = leg_tell(env, r);

	if (!a)
		return ENOMEM;
	a->reason = reason;
	a->text = text;
	return 0;
}

static int caller_jmi(struct leg *l, const struct leg_event *ev,
		      struct leg_env *env)
{
	const struct jmi *m = ev->jmi;

	if (!str_eq(ev->stanza->from.full, l->device))
		return ENOENT;
	switch (m->action) {
	case JMI_RETRACT:
	case JMI_REJECT:       /* Siskin cancels by it (JingleSession.swift) */
		if (l->state == LEG_ACTIVE || l->state == LEG_ENDED)
			return ENOENT;
		return report(env, LEG_R_CANCELLED, m->reason, m->text);
	case JMI_FINISH:
		if (l->state == LEG_ENDED)
			return report(env, LEG_R_FINISH, m->reason, m->text);
		if (l->state == LEG_ACTIVE)
			return report(env, LEG_R_HANGUP, m->reason, m->text);
		return report(env, LEG_R_CANCELLED, m->reason, m->text);
	default:
		return ENOENT; /* A01: the caller cannot answer himself */
	}
}

/* The leg's id is that of the device that answers from now on; the others keep
 * the one they were rung with, by which they are stopped. */
static void take_sid(struct leg *l, const struct leg_device *d)
{
	struct leg_device *o;

	if (!d->sid)
		return;
	for (o = l->devices; o; o = o->next)
		if (!o->sid)
			leg_assign(l, &o->sid, l->sid);
	leg_assign(l, &l->sid, d->sid);
}

static int callee_answers(struct leg *l, struct leg_device *d,
			  const struct xml_elem *said, struct leg_env *env)
{
	struct leg_action *a;

	take_sid(l, d);
	leg_assign(l, &l->device, d->jid);
	d->done = true;
	leg_set_state(l, LEG_ANSWERED);
	a = leg_tell(env, LEG_R_ANSWERED);
	if (a)
		a->said = said;
	return a ? 0 : ENOMEM;
}

/* A device that cannot or will not; the user may still answer elsewhere. */
static int device_out(struct leg *l, struct leg_device *d, bool busy,
		      const char *reason, struct leg_env *env)
{
	const struct leg_device *o;

	d->done = true;
	d->busy = busy;
	if (leg_ringable(l))
		return 0;
	for (o = l->devices; o; o = o->next)
		if (o->done && !o->busy)
			busy = false;
	return report(env, busy ? LEG_R_BUSY : LEG_R_NO_DEVICE, reason, NULL);
}

static int callee_rejects(struct leg *l, struct leg_device *d,
			  const struct leg_event *ev, struct leg_env *env)
{
	const struct jmi *m = ev->jmi;

	if (str_eq(m->reason, "busy"))
		return device_out(l, d, true, m->reason, env);
	/* Once: a client that has missed our answer to its own propose would
	 * say so to each ring anew. */
	if (m->tie_break && d->sid)
		return device_out(l, d, false, m->reason, env);
	if (m->tie_break) {
		d->done = true;
		return report(env, LEG_R_TIE_BREAK, m->reason, d->jid);
	}
	if (!m->reason && env->now - d->rung >= LEG_RACED_REJECT_MS) {
		d->done = true;
		return report(env, LEG_R_UNANSWERED, NULL, NULL);
	}
	if (m->reason && strcmp(m->reason, "decline") != 0 &&
	    strcmp(m->reason, "cancel") != 0)
		return device_out(l, d, false, m->reason, env);
	d->done = true;
	return report(env, LEG_R_DECLINED, m->reason, m->text);
}

static int ringing_jmi(struct leg *l, const struct leg_event *ev,
		       struct leg_env *env)
{
	struct leg_device *d = leg_find_device(l, ev->stanza->from.full);

	if (!d || d->plain || !str_eq(leg_device_sid(l, d), ev->jmi->id))
		return ENOENT;
	switch (ev->jmi->action) {
	case JMI_RINGING:
		if (d->done)
			return ENOENT;
		return report(env, LEG_R_RINGING, NULL, NULL);
	case JMI_PROCEED:
		return d->done ? ENOENT :
				 callee_answers(l, d, ev->jmi->elem, env);
	case JMI_REJECT:
		return d->done ? ENOENT : callee_rejects(l, d, ev, env);
	default:
		return ENOENT;
	}
}

static int callee_jmi(struct leg *l, const struct leg_event *ev,
		      struct leg_env *env)
{
	const struct jmi *m = ev->jmi;

	if (l->state == LEG_RINGING)
		return ringing_jmi(l, ev, env);
	if (!str_eq(ev->stanza->from.full, l->device))
		return ENOENT;
	switch (m->action) {
	case JMI_FINISH:
		return report(env, l->state == LEG_ENDED ? LEG_R_FINISH :
			      LEG_R_HANGUP, m->reason, m->text);
	case JMI_REJECT:
	case JMI_RETRACT:
		if (l->state == LEG_ACTIVE || l->state == LEG_ENDED)
			return ENOENT;
		return report(env, LEG_R_HANGUP,
			      m->reason ? m->reason : "decline", m->text);
	default:
		return ENOENT;
	}
}

static bool sid_known(const struct leg *l, const char *sid)
{
	const struct leg_device *d;

	if (str_eq(sid, l->sid))
		return true;
	for (d = l->devices; d; d = d->next)
		if (str_eq(sid, d->sid))
			return true;
	return false;
}

static int step_jmi(struct leg *l, const struct leg_event *ev,
		    struct leg_env *env)
{
	if (!sid_known(l, ev->jmi->id))
		return ENOENT;
	return l->role == LEG_CALLER ? caller_jmi(l, ev, env) :
				       callee_jmi(l, ev, env);
}

/* --- Jingle ----------------------------------------------------------- */

static int unknown(const struct leg_event *ev, struct leg_env *env)
{
	leg_error(env, ev->stanza, &why_unknown);
	return ENOENT;
}

static int refuse(const struct leg_event *ev, struct leg_env *env,
		  const struct why *why)
{
	leg_error(env, ev->stanza, why);
	return EBADMSG;
}

/* What an action may name; refused: it is answered. */
static int admit(struct leg *l, const struct leg_event *ev,
		 struct leg_env *env)
{
	return leg_learn(l, ev->jingle) ? refuse(ev, env, &why_too_many) : 0;
}

/* Reports the stanza's <jingle/>, repaired. *empty_r: nothing to relay. */
static int report_tree(struct leg *l, const struct leg_event *ev,
		       struct leg_env *env, enum leg_report r,
		       unsigned relay, bool *empty_r)
{
	struct leg_action *a;
	struct xml_elem *tree;

	tree = leg_repair_in(l, ev->jingle, env->arena, empty_r);
	if (*empty_r)
		return 0;
	a = leg_tell(env, r);
	if (!a || !tree)
		return ENOMEM;
	a->tree = tree;
	a->action = ev->jingle->action;
	a->relay = relay;
	return 0;
}

static int trickle(struct leg *l, const struct leg_event *ev,
		   struct leg_env *env)
{
	bool empty;

	if (admit(l, ev, env))
		return EBADMSG;
	leg_result(env, ev->stanza);
	return report_tree(l, ev, env, LEG_R_TRICKLE, 0, &empty);
}

static int relay(struct leg *l, const struct leg_event *ev,
		 struct leg_env *env)
{
	const struct stanza *s = ev->stanza;
	struct leg_text texts[] = {
		{ offsetof(struct leg_relayed, id), s->id },
		{ offsetof(struct leg_relayed, from), s->from.full },
		{ offsetof(struct leg_relayed, to), s->to.full },
	};
	struct leg_relayed *r;
	bool empty;
	int rc;

	if (ev->jingle->action == JINGLE_CONTENT_REJECT &&
	    !ev->jingle->contents && !leg_owes_answer(l))
		return refuse(ev, env, &why_nothing);
	if (l->relayed_n >= LEG_RELAYED_MAX)
		return refuse(ev, env, &why_busy);
	if (admit(l, ev, env))
		return EBADMSG;
	r = leg_record(l, sizeof(*r), texts, 3);
	if (!r)
		return ENOMEM;
	r->number = ++l->next_relay;
	r->next = l->relayed;
	l->relayed = r;
	l->relayed_n++;
	rc = report_tree(l, ev, env, LEG_R_RELAY, r->number, &empty);
	if (empty)
		leg_reply(l, r->number, NULL, env);
	return rc;
}

static int offer(struct leg *l, const struct leg_event *ev,
		 struct leg_env *env)
{
	static const struct why why_security = {
		.type = "cancel", .condition = "not-acceptable",
		.text = "The session offers other media than the propose",
	};
	const struct jingle *j = ev->jingle;
	unsigned i, media = 0;
	bool empty;

	if (l->state == LEG_OFFERED || l->state == LEG_ACTIVE)
		return refuse(ev, env, &why_conflict);
	if (l->state != LEG_PROCEEDED)
		return refuse(ev, env, &why_order);
	if (!j->rtp)
		return refuse(ev, env, &why_not_rtp);
	for (i = 0; i < j->contents; i++)
		media |= j->content[i].media;
	if (media & ~l->media)
		return refuse(ev, env, &why_security);
	if (admit(l, ev, env))
		return EBADMSG;
	leg_result(env, ev->stanza);
	leg_set_state(l, LEG_OFFERED);
	return report_tree(l, ev, env, LEG_R_OFFER, 0, &empty);
}

static int session_info(struct leg *l, const struct leg_event *ev,
			struct leg_env *env)
{
	const struct jingle *j = ev->jingle;
	bool news = j->info && !xml_is(j->info, NS_RTP_INFO, "ringing");

	if (j->info && l->state == LEG_ACTIVE)
		return relay(l, ev, env);
	/* Muted before the answer (F6): the other side learns it then. */
	if (news && (l->state == LEG_OFFERED || l->state == LEG_INITIATED))
		return trickle(l, ev, env);
	/* A ping (XEP-0166, 6.8), or there is no session yet. */
	leg_result(env, ev->stanza);
	return 0;
}

/* His transport-infos are for us, none waits for the other side. */
static bool is_for_us(const struct leg *l)
{
	return l->ends_ice && l->state == LEG_ACTIVE;
}

static int caller_jingle(struct leg *l, const struct leg_event *ev,
			 struct leg_env *env)
{
	const struct jingle *j = ev->jingle;

	switch (j->action) {
	case JINGLE_SESSION_INITIATE:
		return offer(l, ev, env);
	case JINGLE_SESSION_TERMINATE:
		leg_result(env, ev->stanza);
		return report(env, l->state == LEG_ACTIVE ? LEG_R_HANGUP :
			      LEG_R_CANCELLED, j->reason, j->text);
	case JINGLE_SESSION_ACCEPT:
		return refuse(ev, env, &why_order);      /* A01 */
	case JINGLE_TRANSPORT_INFO:
		if (l->state == LEG_OFFERED || is_for_us(l))
			return trickle(l, ev, env);
		break;
	case JINGLE_SESSION_INFO:
		return session_info(l, ev, env);
	default:
		break;
	}
	if (l->state != LEG_ACTIVE)
		return refuse(ev, env, &why_order);
	return relay(l, ev, env);
}

static int accept_answer(struct leg *l, const struct leg_event *ev,
			 struct leg_env *env)
{
	bool empty;

	if (l->state != LEG_INITIATED &&
	    !(l->restored && l->state == LEG_ANSWERED))
		return refuse(ev, env, &why_order);
	if (admit(l, ev, env))
		return EBADMSG;
	leg_result(env, ev->stanza);
	leg_set_state(l, LEG_ACTIVE);
	return report_tree(l, ev, env, LEG_R_ACCEPT, 0, &empty);
}

static int callee_jingle(struct leg *l, const struct leg_event *ev,
			 struct leg_env *env)
{
	const struct jingle *j = ev->jingle;

	switch (j->action) {
	case JINGLE_SESSION_INITIATE:
		return refuse(ev, env, &why_conflict);
	case JINGLE_SESSION_ACCEPT:
		return accept_answer(l, ev, env);
	case JINGLE_SESSION_TERMINATE:
		leg_result(env, ev->stanza);
		return report(env, LEG_R_HANGUP, j->reason, j->text);
	case JINGLE_TRANSPORT_INFO:
		if (l->state == LEG_INITIATED || is_for_us(l) ||
		    (l->restored && l->state == LEG_ANSWERED))
			return trickle(l, ev, env);
		break;
	case JINGLE_SESSION_INFO:
		return session_info(l, ev, env);
	default:
		break;
	}
	if (l->state != LEG_ACTIVE)
		return refuse(ev, env, &why_order);
	return relay(l, ev, env);
}

/* A plain device that rings by our session-initiate. */
static int ringing_answer(struct leg *l, struct leg_device *d,
			  const struct leg_event *ev, struct leg_env *env)
{
	bool empty;

	if (admit(l, ev, env))
		return EBADMSG;
	leg_result(env, ev->stanza);
	take_sid(l, d);
	leg_assign(l, &l->device, d->jid);
	l->jmi = false;
	d->done = true;
	leg_set_state(l, LEG_ACTIVE);
	return report_tree(l, ev, env, LEG_R_ANSWERED, 0, &empty);
}

static int ringing_terminate(struct leg *l, struct leg_device *d,
			     const struct leg_event *ev, struct leg_env *env)
{
	const char *reason = ev->jingle->reason;

	leg_result(env, ev->stanza);
	if (str_eq(reason, "busy"))
		return device_out(l, d, true, reason, env);
	if (reason && strcmp(reason, "decline") != 0 &&
	    strcmp(reason, "cancel") != 0 && strcmp(reason, "success") != 0) {
		if (strcmp(reason, "timeout") != 0)
			return device_out(l, d, false, reason, env);
		d->done = true;
		return report(env, LEG_R_UNANSWERED, reason, NULL);
	}
	d->done = true;
	return report(env, LEG_R_DECLINED, reason, ev->jingle->text);
}

/* I03: nothing of the callee goes on before his accept. */
static int ringing_trickle(struct leg *l, const struct leg_device *d,
			   const struct leg_event *ev, struct leg_env *env)
{
	struct xml_elem *tree;
	bool empty;

	if (admit(l, ev, env))
		return EBADMSG;
	leg_result(env, ev->stanza);
	tree = leg_repair_in(l, ev->jingle, env->arena, &empty);
	if (tree)
		leg_keep(l, tree, ev->jingle->action, 0, d->jid);
	return 0;
}

static int ringing_info(struct leg *l, struct leg_device *d,
			const struct leg_event *ev, struct leg_env *env)
{
	const struct xml_elem *info = ev->jingle->info;

	if (info && !xml_is(info, NS_RTP_INFO, "ringing"))
		return ringing_trickle(l, d, ev, env);
	leg_result(env, ev->stanza);
	if (!info)
		return 0;
	return report(env, LEG_R_RINGING, NULL, NULL);
}

static int ringing_jingle(struct leg *l, const struct leg_event *ev,
			  struct leg_env *env)
{
	struct leg_device *d = leg_find_device(l, ev->stanza->from.full);
	const struct jingle *j = ev->jingle;

	if (!d || !d->initiated || d->done ||
	    !str_eq(leg_device_sid(l, d), j->sid))
		return unknown(ev, env);
	switch (j->action) {
	case JINGLE_SESSION_ACCEPT:
		return ringing_answer(l, d, ev, env);
	case JINGLE_SESSION_TERMINATE:
		return ringing_terminate(l, d, ev, env);
	case JINGLE_SESSION_INFO:
		return ringing_info(l, d, ev, env);
	case JINGLE_TRANSPORT_INFO:
		return ringing_trickle(l, d, ev, env);
	default:
		return refuse(ev, env, &why_order);
	}
}

/* After the end: a crossing terminate is fine, a late initiate is told. */
static int ended_jingle(struct leg *l, const struct leg_event *ev,
			struct leg_env *env)
{
	const struct jingle *j = ev->jingle;

	if (j->action == JINGLE_SESSION_TERMINATE) {
		leg_result(env, ev->stanza);
		return 0;
	}
	if (j->action == JINGLE_SESSION_INITIATE && l->role == LEG_CALLER) {
		leg_result(env, ev->stanza);
		leg_terminate(l, env, l->device, j->sid, "gone", NULL);
		return 0;
	}
	return unknown(ev, env);
}

static int step_jingle(struct leg *l, const struct leg_event *ev,
		       struct leg_env *env)
{
	const struct jingle *j = ev->jingle;

	if (l->state == LEG_RINGING)
		return ringing_jingle(l, ev, env);
	if (!str_eq(ev->stanza->from.full, l->device) ||
	    !str_eq(j->sid, l->sid) || l->state == LEG_IDLE)
		return unknown(ev, env);
	if (l->state == LEG_ENDED)
		return ended_jingle(l, ev, env);
	return l->role == LEG_CALLER ? caller_jingle(l, ev, env) :
				       callee_jingle(l, ev, env);
}

/* --- answers to what we sent ------------------------------------------ */

static struct leg_sent *take_sent(struct leg *l, const char *id)
{
	struct leg_sent *s, **at;

	for (at = &l->sent; (s = *at); at = &s->next)
		if (str_eq(s->id, id)) {
			*at = s->next;
			l->sent_n--;
			return s;
		}
	return NULL;
}

static int replied(const struct leg_sent *s, const struct leg_event *ev,
		   struct leg_env *env)
{
	struct leg_action *a = leg_tell(env, LEG_R_REPLIED);

	if (!a)
		return ENOMEM;
	a->relay = s->relay;
	a->error = ev->error;
	if (ev->kind == LEG_EV_TIMEOUT) {
		a->error = xml_new(env->arena, NS_COMPONENT, "error");
		xml_set(env->arena, a->error, "type", "wait");
		xml_add(env->arena, a->error, NS_STANZAS,
			"remote-server-timeout");
	}
	return 0;
}

/* A bare item-not-found may speak of a content; of the session it does only
 * as the answer to our own question. */
static bool session_is_gone(const struct leg_sent *s,
			    const struct xml_elem *error)
{
	bool asked = s->action == JINGLE_SESSION_INFO && !s->relay;

	return xml_child(error, NS_JINGLE_ERR, "unknown-session") ||
	       (asked && xml_child(error, NS_STANZAS, "item-not-found")) ||
	       xml_child(error, NS_STANZAS, "service-unavailable") ||
	       xml_child(error, NS_STANZAS, "recipient-unavailable");
}

static int failed(struct leg *l, const struct leg_sent *s,
		  const struct leg_event *ev, struct leg_env *env)
{
	struct leg_device *d;

	if (l->state == LEG_RINGING) {
		d = leg_find_device(l, s->device);
		if (!d || d->done || s->action != JINGLE_SESSION_INITIATE)
			return 0;
		return device_out(l, d, false, "gone", env);
	}
	/* What a device that lost the race says ends no call. */
	if (l->state == LEG_ENDED || s->action == JINGLE_SESSION_TERMINATE ||
	    !str_eq(s->device, l->device))
		return 0;
	if (ev->kind == LEG_EV_TIMEOUT ||
	    s->action == JINGLE_SESSION_INITIATE ||
	    s->action == JINGLE_SESSION_ACCEPT ||
	    session_is_gone(s, ev->error))
		return report(env, LEG_R_LOST, NULL, NULL);
	return 0;
}

static int step_answer(struct leg *l, const struct leg_event *ev,
		       struct leg_env *env)
{
	struct leg_sent *s = take_sent(l, ev->id);
	int rc = 0;

	if (!s)
		return ENOENT;
	if (ev->kind == LEG_EV_RESULT && str_eq(s->device, l->device))
		l->away = false;
	if (s->relay)
		rc = replied(s, ev, env);
	if (!rc && ev->kind != LEG_EV_RESULT)
		rc = failed(l, s, ev, env);
	free(s);
	return rc;
}

static int step_bounce(struct leg *l, const struct leg_event *ev,
		       struct leg_env *env)
{
	char mine[16];
	struct leg_device *d;

	snprintf(mine, sizeof(mine), "%08x-", l->nonce);
	if (l->state != LEG_RINGING || !ev->id ||
	    strncmp(ev->id, mine, strlen(mine)) != 0)
		return ENOENT;
	if (!ev->stanza->from.resource)
		return report(env, LEG_R_BLOCKED, NULL, NULL);
	d = leg_find_device(l, ev->stanza->from.full);
	if (!d || d->done)
		return ENOENT;
	return device_out(l, d, false, "gone", env);
}

static int step_presence(struct leg *l, const struct leg_event *ev,
			 struct leg_env *env)
{
	struct leg_device *d = leg_find_device(l, ev->jid);

	if (d)
		d->gone = ev->kind == LEG_EV_GONE;
	if (d && !d->gone)
		leg_stop_late(l, d, env);
	if (!str_eq(l->device, ev->jid))
		return d ? 0 : ENOENT;
	l->away = ev->kind == LEG_EV_GONE;
	return 0;
}

static int step_receipt(struct leg *l, const struct leg_event *ev,
			struct leg_env *env)
{
	struct leg_device *d = leg_find_device(l, ev->stanza->from.full);

	if (l->state != LEG_RINGING || !d || d->done)
		return ENOENT;
	return report(env, LEG_R_RINGING, NULL, NULL);
}

/* Who speaks is there, whatever his presence said before: what one device says
 * keeps its order. */
static void note_heard(struct leg *l, const struct leg_event *ev)
{
	bool speaks = ev->kind == LEG_EV_JMI || ev->kind == LEG_EV_JINGLE ||
		      ev->kind == LEG_EV_RECEIPT;

	if (speaks && str_eq(ev->stanza->from.full, l->device))
		l->away = false;
}

int leg_step(struct leg *l, const struct leg_event *ev, struct leg_env *env)
{
	int rc = ENOENT;

	note_heard(l, ev);
	switch (ev->kind) {
	case LEG_EV_JMI:
		rc = step_jmi(l, ev, env);
		break;
	case LEG_EV_JINGLE:
		rc = step_jingle(l, ev, env);
		break;
	case LEG_EV_RECEIPT:
		rc = step_receipt(l, ev, env);
		break;
	case LEG_EV_BOUNCE:
		rc = step_bounce(l, ev, env);
		break;
	case LEG_EV_RESULT:
	case LEG_EV_ERROR:
	case LEG_EV_TIMEOUT:
		rc = step_answer(l, ev, env);
		break;
	case LEG_EV_GONE:
	case LEG_EV_BACK:
		rc = step_presence(l, ev, env);
		break;
	}
	return l->failed || arena_failed(env->arena) ? ENOMEM : rc;
}
