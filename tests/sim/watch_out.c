/* watch_out.c: the invariants of reliability.md, in what leaves the daemon.
 *
 * What is sent is judged by what was received before: who was told to be
 * there, who was rung, who answered. A fault of the network behind the server
 * is no fault of the daemon, so what a device must get is checked where it
 * leaves. What exempts from a check is named where it is.
 */
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"
#include "tests/sim/watch.h"

/* I03: what belongs to a device shows in its words: "zq", its user's letter,
 * its number; then r(esource), u(frag), p(wd) or f(oundation). */
static void check_leaks(const struct scan *s)
{
	const char *at = s->text, *end = s->text + s->len;
	struct pair *p;
	unsigned user, i;
	bool ok;

	while ((at = memchr(at, 'z', (size_t)(end - at)))) {
		if (*++at != 'q')
			continue;
		user = (unsigned)(at[1] - 'a');
		at += 2;
		if (user >= W.users_n || user == s->to_user ||
		    s->to_user >= USERS)
			continue;
		p = watch_pair(user, s->to_user);
		ok = at[1] == 'u' || at[1] == 'p' || at[1] == 'f';
		if (ok && W.mode != MODE_DIRECT)
			broken("X5", "%s learns of the ICE of another: %.300s",
			       W.user[s->to_user].bare, s->text);
		for (i = 0; ok && i < O.halves; i++)
			if (O.half[i].user == user && O.half[i].peer ==
			    s->to_user && O.half[i].dev == at[0] - '0' &&
			    (O.half[i].caller || O.half[i].accepted))
				break;
		if (!ok || i == O.halves)
			broken("I03", "%s learns of %.4s%s: %.300s",
			       W.user[s->to_user].bare, at - 3,
			       p->saw & SAW_ANSWERED ? "" : " before an answer",
			       s->text);
	}
}

bool watch_ends_here(unsigned one, unsigned other)
{
	const struct call_entry *e;

	if (W.mode != MODE_AUTO || one >= USERS || other >= USERS)
		return W.mode == MODE_ROOM;
	e = calls_get(W.dm, W.user[one].bare, W.user[other].bare, false);
	return e && e->call.mode == MODE_ROOM;
}

/* In `room` a user is told of our fingerprint alone. */
static void check_prints(const struct scan *s)
{
	if (watch_ends_here(s->to_user, s->from_ours) &&
	    memmem(s->text, s->len, FINGERPRINT_8, strlen(FINGERPRINT_8)))
		broken("X5", "%s learns of the fingerprint of another: %.300s",
		       W.user[s->to_user].bare, s->text);
}

/* Nothing leaves before what it says is stored, unless the disk fails. */
static void check_durable(const struct scan *s, unsigned least,
			  const char *what)
{
	struct ring *r = watch_ring(s->sid);
	unsigned state = watch_state(s->to_user, s->from_ours,
				     r ? str_of(r->sid[0]) : s->sid);

	/* A round that gives way to a new one, whose commit replaces its row:
	 * its end leaves before (call_release_old()). */
	if (store_degraded() || str_is(s->reason, "expired") ||
	    watch_pair(s->to_user, s->from_ours)->attempt_at == W.now)
		return;
	if (state == 99 || state < least)
		broken("durable", "%s before it was stored: %.300s", what,
		       s->text);
}

static void ring_stop(struct ring *r, unsigned dev, const struct scan *s)
{
	struct rung *d = &r->dev[dev];

	/* One that left as the link broke may be lost, and is said again. */
	d->stops++;
	if (d->stops > 1 + O.crashes - r->crashes + O.cuts - r->cuts)
		broken("I05", "%s gets stop number %u: %.300s",
		       W.user[r->callee].device[dev].jid, d->stops, s->text);
}

static bool has_jmi(const struct ring *r)
{
	const struct user *u = &W.user[r->callee];
	unsigned i;

	for (i = 0; i < u->devices; i++)
		if (quirks[u->device[i].quirk].jmi && r->dev[i].target)
			return true;
	return false;
}

static unsigned sid_index(const struct ring *r, struct str sid)
{
	unsigned k = 0;

	while (k + 1 < r->sids && !str_is(sid, r->sid[k]))
		k++;
	return k;
}

/* A device that said no (tie-break) is rung again by an id of its own (books.c,
 * note_aliases()), which a disk that fails has not taken. */
static struct ring *rung_again(const struct scan *s)
{
	struct ring *r = watch_ring_of(s->from_ours, s->to_user);

	if (!r || r->ended || r->sids == ALIASES || s->to_dev >= DEVICES ||
	    !r->dev[s->to_dev].out)
		return NULL;
	snprintf(r->sid[r->sids++], SID_SIZE, "%.*s", (int)s->sid.n,
		 s->sid.p);
	return r;
}

static void out_propose(const struct scan *s)
{
	struct ring *r = watch_ring(s->sid);
	struct user *u;
	unsigned i;

	if (s->to_user >= USERS)
		return;
	u = &W.user[s->to_user];
	if (!r && store_degraded()) {
		r = rung_again(s);
		/* Sent before it was given to a disk that fails, and the
		 * process died between the two: nobody can know. */
		if (!r)
			return;
	}
	if (!r) {
		broken("durable", "a propose of no stored ringing: %.300s",
		       s->text);
		return;
	}
	check_durable(s, LEG_RINGING, "a propose");
	/* To devices without JMI it says nothing, and no retract takes it
	 * back. */
	if (r->ended && has_jmi(r))
		broken("I07", "a propose after the end: %.300s", s->text);
	if (W.now - r->decided > 30 * SECOND)
		broken("A08", "a propose %lld ms late: %.300s",
		       (long long)(W.now - r->decided), s->text);
	if (!O.now.enabled)
		broken("I02", "a propose while calls are off: %.300s",
		       s->text);
	if (!r->sent) {
		r->sent = W.now;
		snprintf(r->from, sizeof(r->from), "%.*s", (int)s->from.n,
			 s->from.p);
		watch_later(W.conf.site.ring_timeout + 1000, DUE_RING,
			    (unsigned)(r - O.ring));
	}
	if (s->to_full && s->to_dev < u->devices) {
		if (++r->dev[s->to_dev].full > 1 && r->sids == 1)
			broken("F12", "a second propose: %.300s", s->text);
		r->dev[s->to_dev].must = true;
		r->dev[s->to_dev].sid = sid_index(r, s->sid);
		r->dev[s->to_dev].rung = W.now;
		r->dev[s->to_dev].out = false; /* rung again after a glare */
		return;
	}
	if (++r->bare > 1)
		broken("F12", "a second propose: %.300s", s->text);
	for (i = 0; i < u->devices; i++)
		r->dev[i].must = r->dev[i].must ||
				 (u->device[i].there &&
				  quirks[u->device[i].quirk].jmi &&
				  watch_reachable(&u->device[i]));
}

static void out_retract(const struct scan *s)
{
	struct ring *r = watch_ring(s->sid);
	const struct user *u = &W.user[s->to_user];
	unsigned i;

	/* A second ring by an id of its own, which a disk that fails has not
	 * taken (out_propose()). */
	if (!r && store_degraded())
		return;
	if (!r) {
		broken("X2", "a retract of no ringing: %.300s", s->text);
		return;
	}
	/* What the server gave back never rang: no end to be stored first. */
	if (!r->bounced)
		check_durable(s, LEG_RINGING + 1, "a retract");
	if (r->sent && !str_is(s->from, r->from))
		broken("retract", "from another address than the propose "
		       "(%s): %.300s", r->from, s->text);
	if (s->stored && r->answered)
		broken("I05", "a stored stop after an answer: %.300s",
		       s->text);
	/* That it crossed is not stored: after a restart it is any ringing. */
	if (s->stored && r->crossed && r->crashes == O.crashes)
		broken("I06", "a missed call entry after glare: %.300s",
		       s->text);
	if (s->to_full) {
		if (s->to_dev >= u->devices)
			return;
		/* Its propose may have died with the process, behind the one
		 * to the bare JID. */
		if (O.crashes > r->crashes && !r->dev[s->to_dev].full)
			r->dev[s->to_dev].full = 1;
		ring_stop(r, s->to_dev, s);
		return;
	}
	if (r->answered)
		broken("I05", "a stop for all after an answer: %.300s",
		       s->text);
	for (i = 0; i < u->devices; i++)
		if (!r->dev[i].full && quirks[u->device[i].quirk].jmi)
			ring_stop(r, i, s);
}

/* A proceed without an answer is for a device that rings by an offer only. */
static bool has_plain(const struct ring *r)
{
	const struct user *u = &W.user[r->callee];
	unsigned i;

	for (i = 0; i < u->devices; i++)
		if (!quirks[u->device[i].quirk].jmi &&
		    (r->dev[i].target || watch_reachable(&u->device[i])))
			return true;
	return false;
}

/* A06: who asks in vain learns nothing: the same bytes, at the same time,
 * whatever the cause. */
static void check_alike(const struct scan *s, const struct attempt *a)
{
	const char *not_active = strstr(s->text, " is not active right now.");
	const char *forbidden = strstr(s->text, "Action not allowed.");
	struct pair *p = watch_pair(a->user, a->callee);
	struct ring *r = watch_ring_of(a->user, a->callee);
	char text[512];

	if ((!not_active && !forbidden) || !s->to_full)
		return;
	snprintf(text, sizeof(text), "<message type='chat' id='%.*s' "
		 "from='%.*s' to='%.*s'><reject xmlns='" NS_JMI "' id='%s'>"
		 "<reason xmlns='" NS_JINGLE "'><%s/><text>%.*s</text>"
		 "</reason></reject><store xmlns='" NS_HINTS "'/></message>",
		 (int)s->id.n, s->id.p, (int)s->from.n, s->from.p,
		 (int)s->to.n, s->to.p, a->sid, forbidden ? "decline" :
		 "gone", (int)strcspn(strstr(s->text, "<text>") + 6, "<"),
		 strstr(s->text, "<text>") + 6);
	if (strcmp(text, s->text) != 0)
		broken("A06", "not alike: %.400s", s->text);
	/* A newer attempt, the switch or the end of the service say it at
	 * once, whoever it is. */
	if (p->attempts != a->number || a->crashes != O.crashes || W.draining ||
	    W.leaving || !O.now.enabled || (r && r->decided >= a->at))
		return;
	if (W.now - a->at < W.conf.site.refuse_delay)
		broken("A06", "refused after %lld ms: %.300s",
		       (long long)(W.now - a->at), s->text);
}

/* One too many of the two came back within a minute: that changes nothing. */
static bool over_returns(const struct attempt *a)
{
	const struct pair *p = watch_pair(a->user, a->callee);
	const struct attempt *o;
	unsigned i, n = 0;

	for (i = 0; a->returns_at && i < O.attempts; i++) {
		o = &O.attempt[i];
		n += o->returns_at > a->returns_at - 60 * SECOND &&
		     watch_pair(o->user, o->callee) == p;
	}
	return n > W.conf.site.pair_per_minute;
}

/* By somebody, or by a device that rings by an offer only. */
static bool is_answered(const struct ring *r)
{
	return r && (r->answered || has_plain(r) || O.crashes);
}

static bool was_let_in(const struct attempt *a)
{
	return a->wait >= WAIT_ALONE;
}

static void out_to_caller(const struct scan *s, struct attempt *a)
{
	struct ring *r = watch_ring_of(a->user, a->callee);

	switch (s->jmi) {
	case J_RINGING:
		if (!r || (!r->rang && W.now - r->decided < 1000))
			broken("A06", "ringing said too early: %.300s",
			       s->text);
		break;
	case J_PROCEED:
		if (++a->proceeds > 1)
			broken("I05", "a second proceed: %.300s", s->text);
		/* With a disk that fails it leaves before his row is given to
		 * the store, by which he is known to be let in (63661). */
		if (!a->returns_at && !was_let_in(a) && !is_answered(r) &&
		    !(a->wait == WAIT_MAY && store_degraded()))
			broken("I04", "nobody has answered: %.300s", s->text);
		check_durable(s, LEG_PROCEEDED, "a proceed");
		break;
	case J_REJECT:
		check_alike(s, a);
		a->told = true;
		if (!s->to_full)
			broken("reject", "to a bare JID: %.300s", s->text);
		/* A flood is not stored. */
		if (!strstr(s->text, "Too many calls") && !over_returns(a))
			check_durable(s, LEG_ENDED, "a reject");
		break;
	case J_FINISH:
		a->told = true;
		/* The other, who came, may go on (103029). */
		if (a->wait == WAIT_CAME)
			a->wait = WAIT_OVER;
		if (++a->finishes > 1 + O.crashes - a->crashes)
			broken("F22", "a second finish: %.300s", s->text);
		check_durable(s, LEG_ENDED, "a finish");
		break;
	default:
		break;
	}
}

static void out_jmi(const struct scan *s)
{
	struct attempt *a;

	if (s->jmi == J_PROPOSE) {
		out_propose(s);
		return;
	}
	if (s->to_user >= USERS)
		return;
	if (s->jmi == J_RETRACT) {
		out_retract(s);
		return;
	}
	a = watch_attempt(s->to_user, s->to_dev, s->from_ours, s->sid);
	if (a)
		out_to_caller(s, a);
	else if (s->jmi != J_FINISH)
		broken("I17", "to somebody who did not call: %.300s", s->text);
}

static void out_initiate(const struct scan *s)
{
	struct ring *r = watch_ring(s->sid);
	struct half *h;
	struct rung *d;
	bool jmi;

	if (s->to_dev >= DEVICES || s->to_user >= USERS) {
		broken("I04", "a session for nobody: %.300s", s->text);
		return;
	}
	if (!r && store_degraded())
		return;
	if (!r) {
		broken("durable", "a session of no stored ringing: %.300s",
		       s->text);
		return;
	}
	d = &r->dev[s->to_dev];
	jmi = quirks[W.user[s->to_user].device[s->to_dev].quirk].jmi;
	if (jmi && (!r->answered || r->winner != s->to_dev))
		broken("I04", "a session for a device that has not answered: "
		       "%.300s", s->text);
	check_durable(s, jmi ? LEG_ANSWERED : LEG_RINGING,
		      "a session-initiate");
	if (!jmi && !O.now.enabled && !r->answered)
		broken("I02", "rung while calls are off: %.300s", s->text);
	if (!jmi) {
		if (d->plain_offer)
			broken("F12", "a second ring: %.300s", s->text);
		d->plain_offer = d->must = true;
	}
	h = watch_half_new(s->to_user, s->to_dev, s->from_ours, s->sid, false);
	h->initiated = true;
	h->unstored = store_degraded();
}

/* F23, X8: he is back in a session that the other stayed in, who is told, and
 * has not been rung. */
static void back(const struct scan *s, struct pair *p, struct half *mine,
		 struct half *stays)
{
	check_durable(s, LEG_ACTIVE, "a session-accept");
	if (++p->returns > p->returns_told) {
		/* Sent before the notice was given to a disk that fails, and
		 * the process died between the two (189053). */
		if (!W.dead || !store_degraded())
			broken("X8", "%s is back, and nobody is told: %.300s",
			       W.user[mine->user].bare, s->text);
		p->returns = p->returns_told;
	}
	mine->accepted = true;
	mine->unstored = store_degraded();
	p->hung_up_at = 0;
	p->up[0] = (int)(mine - O.half);
	p->up[1] = (int)(stays - O.half);
	p->is_up = !mine->ended;
}

/* It was held, and the other, who has been told, has left meanwhile: he was in
 * when he called, and is waited for (233241). */
static bool back_alone(const struct scan *s, struct pair *p, struct half *mine)
{
	if (p->returns >= p->returns_told)
		return false;
	check_durable(s, LEG_ACTIVE, "a session-accept");
	p->returns++;
	mine->accepted = true;
	mine->unstored = store_degraded();
	return true;
}

/* X8: he is let in alone, and the other is told. */
static void alone(const struct scan *s, struct pair *p, struct half *mine)
{
	if (back_alone(s, p, mine))
		return;
	/* As in back(). */
	if (!W.dead || !store_degraded())
		broken("X8", "%s waits, and nobody is told: %.300s",
		       W.user[mine->user].bare, s->text);
}

/* I04, I15: both sides of a session, and no other one of theirs. */
static void out_accept(const struct scan *s)
{
	struct pair *p = watch_pair(s->to_user, s->from_ours);
	struct half *mine = watch_half(s->to_user, s->to_dev, s->from_ours,
				       s->sid);
	struct half *other;
	struct attempt *a;
	struct ring *r = watch_ring_of(s->to_user, s->from_ours);
	bool returns;
	unsigned i;

	a = watch_attempt(s->to_user, s->to_dev, s->from_ours, s->sid);
	other = watch_stays(p, s->from_ours);
	returns = mine && a && a->returns_at &&
		  (!r || r->decided < a->returns_at);
	if (returns && other) {
		back(s, p, mine, other);
		return;
	}
	if (returns && back_alone(s, p, mine))
		return;
	if (mine && a && was_let_in(a)) {
		if (other)
			back(s, p, mine, other);
		else
			alone(s, p, mine);
		return;
	}
	if (!mine || !r) {
		broken("I04", "an answer to nobody: %.300s", s->text);
		return;
	}
	check_durable(s, LEG_ACTIVE, "a session-accept");
	for (i = O.halves; i--;) {
		other = &O.half[i];
		if (other->user == s->from_ours && !other->caller &&
		    other->peer == s->to_user && other->accepted &&
		    r->answered && other->dev == r->winner)
			break;
	}
	if (i == (unsigned)-1) {
		broken("I04", "an answer that nobody gave: %.300s", s->text);
		return;
	}
	mine->accepted = true;
	/* Who hung up in a session before this one is told already. */
	if (p->up[0] != (int)(mine - O.half))
		p->hung_up_at = 0;
	p->up[0] = (int)(mine - O.half);
	p->up[1] = (int)i;
	p->is_up = !mine->ended && !other->ended;
}

static void out_terminate(const struct scan *s)
{
	struct pair *p = watch_pair(s->to_user, s->from_ours);
	struct half *h = watch_half(s->to_user, s->to_dev, s->from_ours,
				    s->sid);
	struct attempt *a = watch_attempt(s->to_user, s->to_dev,
					  s->from_ours, s->sid);
	struct ring *r = watch_ring(s->sid);

	if (a)
		a->told = true;
	if (h)
		h->ended = true;
	if (r && s->to_dev < DEVICES && r->dev[s->to_dev].plain_offer &&
	    r->winner != s->to_dev)
		ring_stop(r, s->to_dev, s);
	if (p->is_up && O.half[p->up[0]].ended && O.half[p->up[1]].ended)
		p->is_up = false;
}

static void out_jingle(const struct scan *s)
{
	switch (s->jingle) {
	case G_INITIATE:
		out_initiate(s);
		break;
	case G_ACCEPT:
		out_accept(s);
		break;
	case G_TERMINATE:
		out_terminate(s);
		break;
	default:
		break;
	}
}

/* product.md: the presence of an address in a call never goes unavailable. */
static void out_presence(const struct scan *s)
{
	struct pair *p;

	if (str_is(s->type, "unsubscribe") && s->to_user < USERS &&
	    s->from_ours < ADDRESSES)
		watch_unseen(s->to_user, s->from_ours);
	if (!str_is(s->type, "unavailable") || s->to_user >= USERS ||
	    s->from_ours >= USERS || W.leaving)
		return;
	/* He takes the contact out of his roster himself. */
	if (W.input && str_is(W.input->type, "unsubscribe"))
		return;
	p = watch_pair(s->to_user, s->from_ours);
	if (watch_runs(p))
		broken("presence", "unavailable in a call: %.300s", s->text);
}

/* A29: what leaves is one stanza. Costs much, so of some only. */
static void check_form(const struct scan *s)
{
	struct arena *a;
	struct xml_elem *e;

	if (W.count.out % 61)
		return;
	a = arena_new(0);
	if (xml_parse(a, s->text, s->len, NS_COMPONENT, &xml_limits_default,
		      &e))
		broken("A29", "no stanza: %.300s", s->text);
	arena_free(a);
}

void watch_out(const struct scan *s)
{
	check_form(s);
	/* I17: who is not of the call moves nothing but his own answer. */
	if (W.attacker && !str_is(s->to, W.attacker))
		broken("I17", "%s moves: %.300s", W.attacker, s->text);
	if (W.attacker && !strstr(s->text, "unknown-session") &&
	    !str_is(s->type, "error"))
		broken("I17", "%s is told: %.300s", W.attacker, s->text);
	check_leaks(s);
	check_prints(s);
	if (s->kind == 'p') {
		out_presence(s);
	} else if (s->kind == 'i') {
		if (!watch_is_request(s))
			watch_answered(s);
		else if (s->jingle && s->to_user < USERS)
			out_jingle(s);
	} else if (str_is(s->type, "headline")) {
		books_headline(s);
	} else if (str_is(s->type, "error") && W.input &&
		   (W.input->kind != 'm' || str_is(W.input->type, "error"))) {
		broken("I13", "an error for what is no message: %.300s",
		       s->text);
	} else if (s->jmi) {
		out_jmi(s);
	}
}
