/* leg_out.c: what a call orders its leg to say (see leg.h). */
#include <assert.h>
#include <stdlib.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/hints.h"

struct leg_action *leg_tell(struct leg_env *env, enum leg_report report)
{
	struct leg_action *a = arena_alloc(env->arena, sizeof(*a));

	if (!a)
		return NULL;
	a->is_report = true;
	a->report = report;
	if (env->last)
		env->last->next = a;
	else
		env->first = a;
	env->last = a;
	return a;
}

void leg_send(struct leg *l, struct leg_env *env, struct xml_elem *stanza,
	      enum leg_class class)
{
	struct leg_action *a = leg_tell(env, LEG_R_RINGING);

	(void)l;
	if (!a)
		return;
	a->is_report = false;
	a->stanza = stanza;
	a->class = class;
}

/* "%08x-%u", for each stanza of ours, in a tenth of printf()'s time. */
static const char *new_id(struct leg *l, struct arena *a)
{
	char text[8 + 1 + 10 + 1], *p = text + sizeof(text);
	uint32_t nonce = l->nonce, n = ++l->next_id;
	unsigned i;

	*--p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	*--p = '-';
	for (i = 0; i < 8; i++, nonce >>= 4)
		*--p = "0123456789abcdef"[nonce & 15];
	return arena_strdup(a, p);
}

struct xml_elem *leg_message(struct leg *l, struct leg_env *env,
			     const char *to, enum jmi_action action,
			     const char *sid, const char *reason,
			     const char *text)
{
	struct arena *a = env->arena;
	struct xml_elem *m;

	m = stanza_new(a, STANZA_MESSAGE, "chat", new_id(l, a),
		       leg_address(l, a), to);
	jmi_add(a, m, action, sid, l->media, reason, text);
	return m;
}

/* To one device, without copies or traces elsewhere. */
static void make_private(struct arena *a, struct xml_elem *m)
{
	hints_add_private(a, m);
	hints_add_no_copy(a, m);
	hints_add_no_store(a, m);
}

struct xml_elem *leg_jingle(struct leg *l, struct leg_env *env,
			    const char *device, const char *sid,
			    enum jingle_action action, struct xml_elem **j_r)
{
	return jingle_new(env->arena, new_id(l, env->arena),
			  leg_address(l, env->arena), device, action, sid,
			  j_r);
}

void leg_ask(struct leg *l, struct leg_env *env, struct xml_elem *iq,
	     const char *device, enum jingle_action action, unsigned relay,
	     enum leg_class class)
{
	bool needed = relay || action == JINGLE_SESSION_INITIATE ||
		      action == JINGLE_SESSION_ACCEPT;
	struct leg_text texts[] = {
		{ offsetof(struct leg_sent, id), xml_get(iq, "id") },
		{ offsetof(struct leg_sent, device), device },
	};
	struct leg_sent *s;

	leg_send(l, env, iq, class);
	if (env->last) {
		env->last->asks = true;
		env->last->opens = action == JINGLE_SESSION_INITIATE ||
				   action == JINGLE_SESSION_ACCEPT;
	}
	if (!iq || (!needed && l->sent_n >= LEG_SENT_MAX))
		return;
	s = leg_record(l, sizeof(*s), texts, 2);
	if (!s)
		return;
	s->action = action;
	s->relay = relay;
	s->next = l->sent;
	l->sent = s;
	l->sent_n++;
}

void leg_terminate(struct leg *l, struct leg_env *env, const char *device,
		   const char *sid, const char *reason, const char *text)
{
	struct xml_elem *j, *iq;

	iq = leg_jingle(l, env, device, sid, JINGLE_SESSION_TERMINATE, &j);
	jingle_add_reason(env->arena, j, NS_JINGLE,
			  reason ? reason : "success", text);
	leg_ask(l, env, iq, device, JINGLE_SESSION_TERMINATE, 0,
		LEG_SEND_AFTER);
}

void leg_result(struct leg_env *env, const struct stanza *s)
{
	leg_send(NULL, env, stanza_result(env->arena, s), LEG_SEND_FREE);
}

void leg_error(struct leg_env *env, const struct stanza *s,
	       const struct why *why)
{
	struct xml_elem *e = stanza_error(env->arena, s, why);

	if (e)
		leg_send(NULL, env, e, LEG_SEND_FREE);
}

/* --- ringing ---------------------------------------------------------- */

static void propose_to(struct leg *l, struct leg_device *d,
		       struct leg_env *env)
{
	struct xml_elem *m;

	m = leg_message(l, env, d->jid, JMI_PROPOSE, leg_device_sid(l, d),
			NULL, NULL);
	make_private(env->arena, m);
	leg_send(l, env, m, LEG_SEND_HELD);
}

static struct leg_device *add_target(struct leg *l,
				     const struct leg_target *t, int64_t now)
{
	struct leg_device *d = leg_find_device(l, t->jid);

	if (!d)
		d = leg_add_device(l, t->jid);
	if (!d)
		return NULL;
	d->plain = t->plain;
	d->by_full = t->by_full;
	d->bundles = t->bundles;
	d->rung = now;
	d->gone = d->done = d->busy = d->initiated = d->unstopped = false;
	return d;
}

void leg_ring(struct leg *l, const char *sid, unsigned media,
	      const struct leg_target *t, unsigned n, struct leg_env *env)
{
	struct leg_device *d;
	struct xml_elem *m;
	bool bare = false;
	unsigned i;

	leg_assign(l, &l->sid, sid);
	l->media = media;
	l->jmi = true;
	for (i = 0; i < n; i++) {
		d = add_target(l, &t[i], env->now);
		/* Plain devices too: the server's bounce tells of a block. */
		bare = bare || (d && !d->by_full);
	}
	leg_set_state(l, LEG_RINGING);
	if (bare) {
		m = leg_message(l, env, l->user, JMI_PROPOSE, l->sid, NULL,
				NULL);
		hints_add_store(env->arena, m);
		leg_send(l, env, m, LEG_SEND_HELD);
	}
	for (d = l->devices; d; d = d->next)
		if (d->by_full && !d->plain)
			propose_to(l, d, env);
}

static void initiate_to(struct leg *l, const char *device, const char *sid,
			const struct xml_elem *tree, struct leg_env *env)
{
	struct xml_elem *iq, *j;

	iq = leg_jingle(l, env, device, sid, JINGLE_SESSION_INITIATE, &j);
	xml_set(env->arena, j, "initiator", leg_address(l, env->arena));
	leg_repair_out(l, tree, JINGLE_SESSION_INITIATE, j, env);
	leg_ask(l, env, iq, device, JINGLE_SESSION_INITIATE, 0,
		LEG_SEND_HELD);
}

void leg_ring_more(struct leg *l, const struct leg_target *t, const char *sid,
		   struct leg_env *env)
{
	struct leg_device *d;

	if (l->state != LEG_RINGING)
		return;
	d = leg_find_device(l, t->jid);
	if (d && !d->done && !sid) {
		d->gone = false;
		return;
	}
	if (d && d->done && !sid)
		return;        /* it said no once: it is rung once */
	d = add_target(l, t, env->now);
	if (!d)
		return;
	d->by_full = true;
	if (sid)
		leg_assign(l, &d->sid, sid);
	if (!d->plain)
		propose_to(l, d, env);
}

void leg_offer(struct leg *l, const struct xml_elem *tree,
	       struct leg_env *env)
{
	struct leg_device *d;

	if (l->state == LEG_ANSWERED) {
		leg_set_state(l, LEG_INITIATED);
		initiate_to(l, l->device, l->sid, tree, env);
	}
	if (l->state != LEG_RINGING)
		return;
	for (d = l->devices; d; d = d->next) {
		if (!d->plain || d->done || d->initiated)
			continue;
		d->initiated = d->fresh = true;
		initiate_to(l, d->jid, leg_device_sid(l, d), tree, env);
	}
}

/* A stop to one device alone, after its own client's carbon. */
static void stop_one(struct leg *l, struct leg_device *d,
		     enum jmi_action action, const char *reason,
		     const char *text, struct leg_env *env)
{
	struct xml_elem *m;

	if (d->plain) {
		if (d->initiated)
			leg_terminate(l, env, d->jid, leg_device_sid(l, d),
				      reason, text);
		return;
	}
	m = leg_message(l, env, d->jid, action, leg_device_sid(l, d), reason,
			text);
	make_private(env->arena, m);
	leg_send(l, env, m, LEG_SEND_HELD);
}

void leg_stop(struct leg *l, enum leg_stop how, const char *reason,
	      const char *text, const char *but, struct leg_env *env)
{
	struct leg_device *d;
	struct xml_elem *m;
	bool bare = false;

	for (d = l->devices; d; d = d->next) {
		/* The stored retract is the user's entry (F21): also when his
		 * device has stopped by itself. */
		if (how == LEG_STOP_CANCEL && !d->by_full)
			bare = true;
		if (d->done || str_eq(d->jid, but))
			continue;
		d->done = true;
		if (d->gone && !(how == LEG_STOP_CANCEL && !d->by_full)) {
			/* Its server would give it to the others. */
			d->unstopped = true;
			continue;
		}
		if (how != LEG_STOP_CANCEL || d->plain || d->by_full)
			stop_one(l, d, JMI_RETRACT, reason, text, env);
	}
	if (bare) {
		m = leg_message(l, env, l->user, JMI_RETRACT, l->sid, reason,
				text);
		hints_add_store(env->arena, m);
		leg_send(l, env, m, LEG_SEND_HELD);
	}
}

void leg_stop_late(struct leg *l, struct leg_device *d, struct leg_env *env)
{
	if (!d->unstopped)
		return;
	d->unstopped = false;
	stop_one(l, d, JMI_RETRACT, l->device ? "success" : "cancel", NULL,
		 env);
}

void leg_stop_away(struct leg *l, struct leg_env *env)
{
	struct leg_device *d;

	for (d = l->devices; d; d = d->next)
		leg_stop_late(l, d, env);
}

void leg_repeat_stop(struct leg *l, const char *reason, struct leg_env *env)
{
	struct leg_device *d;
	struct xml_elem *m;

	for (d = l->devices; d; d = d->next)
		if (!d->gone && !str_eq(d->jid, l->device))
			stop_one(l, d, JMI_RETRACT, reason, NULL, env);
	if (l->role != LEG_CALLER || !l->device)
		return;
	if (!l->jmi) {
		leg_terminate(l, env, l->device, l->sid, reason, NULL);
		return;
	}
	m = leg_message(l, env, l->device, JMI_REJECT, l->sid, reason, NULL);
	make_private(env->arena, m);
	leg_send(l, env, m, LEG_SEND_HELD);
}

void leg_repeat_end(struct leg *l, struct leg_env *env)
{
	if (l->device)
		leg_terminate(l, env, l->device, l->sid, "success", NULL);
}

/* --- the caller's leg ------------------------------------------------- */

static struct xml_elem *say(struct leg *l, enum jmi_action action,
			    const char *reason, const char *text,
			    bool tie_break, struct leg_env *env)
{
	struct xml_elem *m, *e;

	m = leg_message(l, env, l->device, action, l->sid, reason, text);
	e = xml_child(m, NS_JMI, NULL);
	if (tie_break)
		xml_add(env->arena, e, NS_JMI, "tie-break");
	hints_add_store(env->arena, m);
	leg_send(l, env, m, LEG_SEND_HELD);
	return e;
}

void leg_ringing(struct leg *l, struct leg_env *env)
{
	struct xml_elem *iq, *j;

	if (l->state == LEG_PROPOSED) {
		say(l, JMI_RINGING, NULL, NULL, false, env);
	} else if (l->state == LEG_OFFERED && !l->jmi) {
		iq = leg_jingle(l, env, l->device, l->sid,
				JINGLE_SESSION_INFO, &j);
		xml_add(env->arena, j, NS_RTP_INFO, "ringing");
		leg_ask(l, env, iq, l->device, JINGLE_SESSION_INFO, 0,
			LEG_SEND_FREE);
	}
}

void leg_proceed(struct leg *l, const struct xml_elem *said,
		 struct leg_env *env)
{
	const struct xml_elem *e = said && !l->gateway ? said->first : NULL;
	struct xml_elem *to;

	if (l->state != LEG_PROPOSED)
		return;
	leg_set_state(l, LEG_PROCEEDED);
	to = say(l, JMI_PROCEED, NULL, NULL, false, env);
	for (; e; e = e->next)
		if (e->name && strcmp(e->ns, NS_JMI) != 0 &&
		    strcmp(e->ns, NS_JINGLE) != 0)
			xml_append(to, xml_copy_sharing(env->arena, e));
}

void leg_turn_away(struct leg *l, const struct leg_event *ev,
		   const char *reason, bool tie_break, struct leg_env *env)
{
	static const struct why why_tie_break = {
		.type = "cancel", .condition = "conflict",
		.app_ns = NS_JINGLE_ERR, .app = "tie-break",
	};
	static const struct why why_refused = {
		.type = "cancel", .condition = "not-acceptable",
	};
	struct xml_elem *m;

	if (ev->kind == LEG_EV_JINGLE) {
		leg_error(env, ev->stanza,
			  tie_break ? &why_tie_break : &why_refused);
		return;
	}
	m = leg_message(l, env, ev->stanza->from.full, JMI_REJECT,
			ev->jmi->id, reason, NULL);
	/* He may have dialed the other of the two addresses. */
	xml_set(env->arena, m, "from",
		arena_join(env->arena, ev->stanza->to.bare, "/",
			   l->resource));
	if (tie_break)
		xml_add(env->arena, xml_child(m, NS_JMI, "reject"), NS_JMI,
			"tie-break");
	hints_add_store(env->arena, m);
	leg_send(l, env, m, LEG_SEND_HELD);
}

void leg_refuse(struct leg *l, const char *reason, const char *text,
		bool tie_break, struct leg_env *env)
{
	if (l->state == LEG_PROPOSED)
		say(l, JMI_REJECT, reason, text, tie_break, env);
	else if (l->state == LEG_OFFERED)
		leg_terminate(l, env, l->device, l->sid, reason, text);
	else
		return;
	leg_ended(l, env);
}

void leg_accept(struct leg *l, const struct xml_elem *tree,
		struct leg_env *env)
{
	struct xml_elem *iq, *j;

	if (l->state != LEG_OFFERED &&
	    !(l->restored && l->state == LEG_PROCEEDED))
		return;
	leg_set_state(l, LEG_ACTIVE);
	iq = leg_jingle(l, env, l->device, l->sid, JINGLE_SESSION_ACCEPT, &j);
	xml_set(env->arena, j, "responder", leg_address(l, env->arena));
	leg_repair_out(l, tree, JINGLE_SESSION_ACCEPT, j, env);
	leg_ask(l, env, iq, l->device, JINGLE_SESSION_ACCEPT, 0,
		LEG_SEND_HELD);
}

void leg_ping(struct leg *l, struct leg_env *env)
{
	if (l->state == LEG_ACTIVE)
		leg_ask(l, env, leg_jingle(l, env, l->device, l->sid,
					   JINGLE_SESSION_INFO, NULL),
			l->device, JINGLE_SESSION_INFO, 0, LEG_SEND_FREE);
}

/* --- both ------------------------------------------------------------- */

static void relay_to(struct leg *l, const char *device, const char *sid,
		     const struct xml_elem *tree, enum jingle_action action,
		     unsigned relay, struct leg_env *env)
{
	struct xml_elem *iq, *j;

	iq = leg_jingle(l, env, device, sid, action, &j);
	leg_repair_out(l, tree, action, j, env);
	leg_ask(l, env, iq, device, action, relay, LEG_SEND_AFTER);
}

void leg_relay(struct leg *l, const struct xml_elem *tree,
	       enum jingle_action action, unsigned relay, struct leg_env *env)
{
	struct leg_device *d;

	if (l->state != LEG_RINGING) {
		relay_to(l, l->device, l->sid, tree, action, relay, env);
		return;
	}
	for (d = l->devices; d; d = d->next)
		if (d->initiated && !d->done && !d->gone)
			relay_to(l, d->jid, leg_device_sid(l, d), tree,
				 action, 0, env);
}

/* Of copies: what was kept may be dropped before the stanzas are written. */
void leg_catch_up(struct leg *l, const struct leg *from, struct leg_env *env)
{
	struct arena *a = env->arena;
	const struct leg_early *e;
	struct leg_device *d;

	for (d = l->devices; d; d = d->next) {
		for (e = d->fresh ? from->early : NULL; e; e = e->next)
			if (!l->ends_ice || e->action != JINGLE_TRANSPORT_INFO)
				relay_to(l, d->jid, leg_device_sid(l, d),
					 xml_copy(a, e->kept->elem),
					 e->action, 0, env);
		d->fresh = false;
	}
}

static struct leg_relayed *take_relayed(struct leg *l, unsigned number)
{
	struct leg_relayed *r, **at;

	for (at = &l->relayed; (r = *at); at = &r->next)
		if (!number || r->number == number) {
			*at = r->next;
			l->relayed_n--;
			return r;
		}
	return NULL;
}

static void reply(struct leg *l, struct leg_relayed *r,
		  const struct xml_elem *error, struct leg_env *env)
{
	struct xml_elem *iq;

	iq = stanza_new(env->arena, STANZA_IQ, error ? "error" : "result",
			r->id, r->to, r->from);
	if (error)
		xml_append(iq, xml_copy(env->arena, error));
	leg_send(l, env, iq, LEG_SEND_FREE);
	free(r);
}

void leg_reply(struct leg *l, unsigned relay, const struct xml_elem *error,
	       struct leg_env *env)
{
	struct leg_relayed *r = relay ? take_relayed(l, relay) : NULL;

	if (r)
		reply(l, r, error, env);
}

static struct xml_elem *make_error(struct arena *a, const char *type,
				   const char *condition)
{
	struct xml_elem *e = xml_new(a, NS_COMPONENT, "error");

	xml_set(a, e, "type", type);
	xml_add(a, e, NS_STANZAS, condition);
	return e;
}

void leg_reply_condition(struct leg *l, unsigned relay, const char *type,
			 const char *condition, struct leg_env *env)
{
	leg_reply(l, relay, make_error(env->arena, type, condition), env);
}

void leg_ended(struct leg *l, struct leg_env *env)
{
	struct leg_relayed *r;
	struct xml_elem *e;

	if (l->state == LEG_ENDED)
		return;
	while (l->relayed && (r = take_relayed(l, 0))) {
		e = make_error(env->arena, "cancel", "item-not-found");
		xml_add(env->arena, e, NS_JINGLE_ERR, "unknown-session");
		reply(l, r, e, env);
	}
	leg_drop_kept(l);
	if (l->jmi && l->device &&
	    (l->state == LEG_PROCEEDED || l->state == LEG_OFFERED ||
	     l->state == LEG_ANSWERED || l->state == LEG_INITIATED ||
	     l->state == LEG_ACTIVE))
		l->finish_due = true;
	leg_set_state(l, LEG_ENDED);
}

void leg_end(struct leg *l, const char *reason, const char *text,
	     struct leg_env *env)
{
	struct xml_elem *m;

	switch (l->state) {
	case LEG_PROPOSED:
		leg_refuse(l, reason, text, false, env);
		return;
	case LEG_PROCEEDED:
		/* No session yet. Dino's outgoing call ends by nothing but a
		 * reject (call_peer_state.vala). */
		say(l, JMI_REJECT, reason, text, false, env);
		if (l->restored)
			leg_terminate(l, env, l->device, l->sid, reason, text);
		break;
	case LEG_RINGING:
		leg_stop(l, LEG_STOP_CANCEL, reason, text, NULL, env);
		break;
	case LEG_ANSWERED:
		m = leg_message(l, env, l->device, JMI_RETRACT, l->sid, reason,
				text);
		make_private(env->arena, m);
		leg_send(l, env, m, LEG_SEND_HELD);
		if (l->restored)
			leg_terminate(l, env, l->device, l->sid, reason, text);
		break;
	case LEG_OFFERED:
	case LEG_INITIATED:
	case LEG_ACTIVE:
		leg_terminate(l, env, l->device, l->sid, reason, text);
		break;
	default:
		return;
	}
	leg_ended(l, env);
}

void leg_migrate(struct leg *l, const char *to, struct leg_env *env)
{
	struct xml_elem *m, *e;

	if (l->jmi && l->state == LEG_ACTIVE) {
		m = leg_message(l, env, l->device, JMI_FINISH, l->sid,
				"expired", NULL);
		e = xml_add(env->arena, xml_child(m, NS_JMI, "finish"), NS_JMI,
			    "migrated");
		xml_set(env->arena, e, "to", to);
		hints_add_store(env->arena, m);
		leg_send(l, env, m, LEG_SEND_AFTER);
		l->finished = true;
	}
	leg_end(l, "expired", NULL, env);
}

void leg_finish(struct leg *l, const char *reason, const char *text,
		struct leg_env *env)
{
	struct xml_elem *m;

	if (!l->finish_due || l->finished || !l->device)
		return;
	l->finished = true;
	m = leg_message(l, env, l->device, JMI_FINISH, l->sid,
			reason ? reason : "success", text);
	hints_add_store(env->arena, m);
	leg_send(l, env, m, LEG_SEND_HELD);
}
