/* trial.c: one test call: its steps, and where and why it fails. */
#include "mod_privatecall/probe/trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "mod_privatecall/probe/mend.h"
#include "mod_privatecall/probe/trial_private.h"

#define S_NS INT64_C(1000000000)
#define TOLD_NS (5 * S_NS)         /* from one side to the other */

static const struct {
	const char *name;
	int64_t patience;          /* ns */
} steps[TRIAL_STEPS] = {
	[TRIAL_LOGIN] = { "login", 20 * S_NS },
	[TRIAL_PRESENCE] = { "presence", 5 * S_NS },
	[TRIAL_RING] = { "ring", 10 * S_NS },
	[TRIAL_PROCEED] = { "proceed", 10 * S_NS },
	[TRIAL_OFFER] = { "offer", 10 * S_NS },
	[TRIAL_ACCEPT] = { "accept", 10 * S_NS },
	/* The service gives up 20 s after the accept (connect_timeout). */
	[TRIAL_ICE] = { "ice", 10 * S_NS },
	[TRIAL_DTLS] = { "dtls", 5 * S_NS },
	[TRIAL_MEDIA] = { "media", 4 * S_NS },
	[TRIAL_END] = { "end", 10 * S_NS },
};

static const char *const modes[] = {
	[TRIAL_UNKNOWN] = NULL, [TRIAL_DIRECT] = "direct",
	[TRIAL_BLIND] = "blind", [TRIAL_ROOM] = "room",
};
static const char *const sides[] = { "the caller", "the called user" };

const char *trial_step_name(enum trial_step s)
{
	return steps[s].name;
}

const char *trial_mode_name(enum trial_mode m)
{
	return modes[m];
}

enum trial_mode trial_mode_parse(const char *name)
{
	enum trial_mode m;

	for (m = TRIAL_ROOM; m > TRIAL_UNKNOWN; m--)
		if (!strcmp(modes[m], name))
			break;
	return m;
}

/* --- the way of a call ------------------------------------------------ */

static void next(struct trial *t, enum trial_step step)
{
	int64_t now = peers_now();

	t->step = step;
	t->at[step] = now;
	t->deadline = step < TRIAL_STEPS ? now + steps[step].patience :
					   INT64_MAX;
}

static void leave(struct trial *t)
{
	unsigned i;

	for (i = 0; i < TRIAL_SIDES; i++) {
		t->peer[i]->sends = false;
		phone_close(&t->phone[i]);
	}
	t->running = false;
	t->over = true;
}

/* It ends as one who hangs up, so that nothing goes on ringing. */
static void hang_up(struct trial *t)
{
	struct phone *caller = &t->phone[TRIAL_CALLER];

	if (t->step < TRIAL_RING || t->ended[TRIAL_CALLER] ||
	    t->ended[TRIAL_CALLEE])
		return;
	if (t->step < TRIAL_OFFER)
		phone_retract(caller);
	else
		phone_terminate(caller);
}

__attribute__((format(printf, 3, 4)))
static void fail(struct trial *t, const char *mend, const char *fmt, ...)
{
	va_list args;

	if (t->over)
		return;
	va_start(args, fmt);
	vsnprintf(t->what, sizeof(t->what), fmt, args);
	va_end(args);
	t->mend = mend;
	t->failed = true;
	hang_up(t);
	leave(t);
}

/* --- what phones say -------------------------------------------------- */

static void on_gone(struct trial *t, const struct phone *p)
{
	const char *why = p->told.text;

	if (t->step == TRIAL_LOGIN)
		fail(t, mend_login(why), "%s cannot log in: %s", p->bare, why);
	else
		fail(t, mend_login(why), "%s lost the connection: %s", p->bare,
		     why);
}

static void on_refused(struct trial *t, const struct phone *p)
{
	fail(t, mend_error(p->told.condition, p->service != NULL),
	     "%s got an error from %s: %s", p->bare,
	     t->step == TRIAL_PRESENCE ? p->service :
	     p->peer ? p->peer : p->target, p->told.condition);
}

static void on_online(struct trial *t, struct phone *p)
{
	unsigned i;

	phone_appear(p);
	if (!t->phone[TRIAL_CALLER].full || !t->phone[TRIAL_CALLEE].full)
		return;
	next(t, TRIAL_PRESENCE);
	for (i = 0; i < TRIAL_SIDES && p->service; i++)
		phone_register(&t->phone[i]);
}

static void on_registered(struct trial *t, struct phone *p)
{
	unsigned i;

	t->registered[p - t->phone] = true;
	phone_subscribe(p, p->service, "subscribe");
	if (!t->registered[0] || !t->registered[1])
		return;
	for (i = 0; i < TRIAL_SIDES; i++)
		phone_subscribe(&t->phone[i], t->phone[i].target,
				"subscribe");
}

static void call(struct trial *t)
{
	unsigned char random[16];
	struct phone *caller = &t->phone[TRIAL_CALLER];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		peers_die("no randomness");
	for (i = 0; i < sizeof(random); i++)
		snprintf(caller->id + 2 * i, 3, "%02x", random[i]);
	next(t, TRIAL_RING);
	phone_propose(caller, t->all->o.video);
}

/* Both know that it rings. Where the called device itself said so, nothing of
 * ours is in between. */
static void on_ringing(struct trial *t)
{
	const struct phone *caller = &t->phone[TRIAL_CALLER];
	struct phone *callee = &t->phone[TRIAL_CALLEE];

	if (t->step != TRIAL_RING || !t->proposed || !t->ringing)
		return;
	if (caller->rung_by && !strcmp(caller->rung_by, callee->full)) {
		fail(t, mend_no_module, "%s was rung by %s himself, not by "
		     "the service", callee->bare, caller->bare);
		return;
	}
	if (!t->seen[TRIAL_CALLER] || !t->seen[TRIAL_CALLEE])
		return;
	next(t, TRIAL_PROCEED);
	phone_proceed(callee);
}

/* Who is seen late was called meanwhile. */
static void on_seen(struct trial *t, const struct phone *p)
{
	t->seen[p - t->phone] = true;
	if (t->step == TRIAL_PRESENCE && t->seen[0] && t->seen[1])
		call(t);
	on_ringing(t);
}

static void late_ring(struct trial *t)
{
	const char *callee = t->phone[TRIAL_CALLEE].bare;
	unsigned side = t->seen[TRIAL_CALLER] ? TRIAL_CALLEE : TRIAL_CALLER;

	if (!t->proposed) {
		fail(t, mend_no_answer, "%s is not rung", callee);
	} else if (!t->ringing) {
		fail(t, mend_no_answer, "%s rings, and the caller is not told",
		     callee);
	} else {
		t->step = TRIAL_PRESENCE;
		fail(t, mend_presence, "%s can be called, and %s does not see "
		     "%s", callee, t->phone[side].bare, t->phone[side].target);
	}
}

/* --- media ------------------------------------------------------------ */

static struct phone_local local_of(struct trial *t, unsigned side,
				   unsigned char print[DTLS_SRTP_HASH_MAX])
{
	struct peer *p = t->peer[side];
	struct phone_local l = {
		.ufrag = p->agent.current.ufrag, .pwd = p->agent.current.pwd,
		.addr = p->addr, .priority = ice_priority(ICE_HOST, 0),
		.print = print, .video = t->all->o.video,
	};

	l.print_len = dtls_identity_fingerprint(t->all->peers.id, "sha-256",
						print);
	return l;
}

static void on_proceed(struct trial *t, struct phone *p)
{
	unsigned char print[DTLS_SRTP_HASH_MAX];
	struct phone_local l;

	if (t->step != TRIAL_PROCEED)
		return;
	next(t, TRIAL_OFFER);
	peer_ice(t->peer[TRIAL_CALLER], true);
	l = local_of(t, TRIAL_CALLER, print);
	phone_initiate(p, &l);
}

/* The offer is the caller's own, or has the fingerprint of his certificate, or
 * another's: the service's. */
static enum trial_mode mode_of(struct trial *t, const struct phone_remote *r)
{
	unsigned char print[DTLS_SRTP_HASH_MAX];
	size_t len = dtls_identity_fingerprint(t->all->peers.id,
					       r->print.hash, print);

	if (!strcmp(r->ufrag, t->peer[TRIAL_CALLER]->agent.current.ufrag))
		return TRIAL_DIRECT;
	return len == r->print.len && !memcmp(print, r->print.value, len) ?
	       TRIAL_BLIND : TRIAL_ROOM;
}

static void add_candidates(struct trial *t, unsigned side)
{
	struct phone_remote *r = &t->phone[side].remote;
	unsigned i;

	for (i = 0; i < r->candidates; i++)
		peer_candidate(t->peer[side], &r->candidate[i].addr,
			       r->candidate[i].priority);
	r->candidates = 0;
}

/* His end of media begins; false: it cannot. */
static bool connect_media(struct trial *t, unsigned side, bool active)
{
	struct phone_remote *r = &t->phone[side].remote;
	struct peer *p = t->peer[side];

	if (!*r->ufrag || !r->print.len) {
		fail(t, mend_log, "%s got a description without %s",
		     t->phone[side].bare, *r->ufrag ? "a fingerprint" :
		     "the credentials of ICE");
		return false;
	}
	peer_dtls(&t->all->peers, p, active, r->print.hash, r->print.value,
		  r->print.len);
	peer_remote(p, r->ufrag, r->pwd,
		    r->candidates ? &r->candidate[0].addr : NULL,
		    r->candidates ? r->candidate[0].priority : 0);
	add_candidates(t, side);
	return true;
}

static void on_initiate(struct trial *t, struct phone *p)
{
	enum trial_mode wanted = t->all->o.mode;
	unsigned char print[DTLS_SRTP_HASH_MAX];
	struct phone_local l;

	if (t->step != TRIAL_OFFER)
		return;
	t->mode = mode_of(t, &p->remote);
	if (wanted && t->mode != wanted) {
		fail(t, mend_mode, "the call came to mode %s, not %s",
		     modes[t->mode], modes[wanted]);
		return;
	}
	next(t, TRIAL_ACCEPT);
	peer_ice(t->peer[TRIAL_CALLEE], false);
	l = local_of(t, TRIAL_CALLEE, print);
	if (connect_media(t, TRIAL_CALLEE, true))
		phone_accept(p, &l);
}

static void on_accept(struct trial *t, const struct phone *p)
{
	if (t->step == TRIAL_ACCEPT && connect_media(t, TRIAL_CALLER,
	    p->remote.print.setup == DTLS_PASSIVE))
		next(t, TRIAL_ICE);
}

/* --- the end ---------------------------------------------------------- */

static void give_up(struct trial *t)
{
	unsigned first = t->ended[TRIAL_CALLER] ? TRIAL_CALLER : TRIAL_CALLEE;
	const struct phone_said *said = &t->said[first];
	const char *before = t->step == TRIAL_MEDIA && t->running ?
			     "the call was ended" : "the call was refused";

	fail(t, mend_told(said), "%s%s%s%s%s%s", before,
	     *said->condition ? " (" : "", said->condition,
	     *said->condition ? ")" : "", *said->text ? ": " : "",
	     said->text);
}

/* A call that stood is one that both must be told of. */
static void on_ended(struct trial *t, const struct phone *p)
{
	unsigned side = (unsigned)(p - t->phone);

	if (t->step == TRIAL_END) {
		if (side == TRIAL_CALLEE) {
			next(t, TRIAL_STEPS);
			leave(t);
		}
		return;
	}
	if (t->ended[side])
		return;
	t->ended[side] = peers_now();
	t->said[side] = p->told;
	t->peer[side]->sends = false;
	if (t->step < TRIAL_ICE || t->ended[!side])
		give_up(t);
	else
		t->deadline = t->ended[side] + TOLD_NS;
}

static void on_event(struct phone *p, enum phone_event ev, void *arg)
{
	struct trial *t = arg;

	if (t->over)
		return;
	switch (ev) {
	case PHONE_ONLINE: on_online(t, p); break;
	case PHONE_REGISTERED: on_registered(t, p); break;
	case PHONE_SEEN: on_seen(t, p); break;
	case PHONE_PROPOSED:
		t->proposed = true;
		phone_ringing(p);
		on_ringing(t);
		break;
	case PHONE_RINGING:
		t->ringing = true;
		on_ringing(t);
		break;
	case PHONE_PROCEED: on_proceed(t, p); break;
	case PHONE_INITIATE: on_initiate(t, p); break;
	case PHONE_ACCEPT: on_accept(t, p); break;
	case PHONE_CANDIDATES:
		if (t->step >= TRIAL_ACCEPT && t->peer[p - t->phone]->dtls)
			add_candidates(t, (unsigned)(p - t->phone));
		break;
	case PHONE_ENDED: on_ended(t, p); break;
	case PHONE_REFUSED: on_refused(t, p); break;
	case PHONE_GONE: on_gone(t, p); break;
	}
}

/* --- time ------------------------------------------------------------- */

void trial_begin(struct trial *t)
{
	unsigned i;

	t->begun = true;
	next(t, TRIAL_LOGIN);
	for (i = 0; i < TRIAL_SIDES; i++) {
		t->phone[i].event_h = on_event;
		t->phone[i].arg = t;
	}
	for (i = 0; i < TRIAL_SIDES && !t->over; i++)
		if (!phone_open(&t->phone[i], t->all->clients,
				t->account[i]->jid, t->account[i]->password,
				t->account[!i]->jid, t->all->o.component))
			fail(t, "Free some memory.", "out of memory");
}

static bool has_pair(const struct peer *p)
{
	return ice_selected(&p->agent) != NULL;
}

static bool hears(const struct peer *p, bool video)
{
	return p->got[PEER_AUDIO] && (!video || p->got[PEER_VIDEO]);
}

/* Which of the two a step has not come to, in words. */
static const char *lacking(bool caller, bool callee)
{
	return !caller && !callee ? "both sides" : sides[caller];
}

static void late_ice(struct trial *t)
{
	const struct peer *a = t->peer[0], *b = t->peer[1];
	char where[ADDR_TEXT_SIZE];

	addr_format(has_pair(a) ? &b->to : &a->to, where);
	fail(t, mend_ice, "no answer to ICE checks of %s at %s",
	     lacking(has_pair(a), has_pair(b)), where);
}

static void late(struct trial *t)
{
	const struct peer *a = t->peer[0], *b = t->peer[1];
	bool video = t->all->o.video;

	switch (t->step) {
	case TRIAL_PRESENCE:
		/* What a call is answered says more. */
		call(t);
		break;
	case TRIAL_RING:
		late_ring(t);
		break;
	case TRIAL_ICE:
		late_ice(t);
		break;
	case TRIAL_DTLS:
		fail(t, mend_dtls, "no DTLS handshake of %s",
		     lacking(a->out, b->out));
		break;
	case TRIAL_MEDIA:
		fail(t, mend_one_way, "no media to %s",
		     lacking(hears(a, video), hears(b, video)));
		break;
	default:
		fail(t, t->step == TRIAL_LOGIN ? mend_login("") :
		     mend_no_answer, "nothing came within %d s",
		     (int)(steps[t->step].patience / S_NS));
		break;
	}
}

/* The steps that packets take. */
static void look_at_media(struct trial *t)
{
	struct peer *a = t->peer[0], *b = t->peer[1];
	const char *fault = a->fault ? a->fault : b->fault;
	bool video = t->all->o.video;

	if (fault && t->step >= TRIAL_ICE) {
		if (t->step == TRIAL_ICE)
			next(t, TRIAL_DTLS);
		fail(t, mend_dtls, "the DTLS handshake of %s failed: %s",
		     sides[!a->fault], fault);
		return;
	}
	if (t->step == TRIAL_ICE && has_pair(a) && has_pair(b))
		next(t, TRIAL_DTLS);
	if (t->step == TRIAL_DTLS && peer_ready(a) && peer_ready(b)) {
		next(t, TRIAL_MEDIA);
		a->sends = b->sends = true;
	}
	if (t->step == TRIAL_MEDIA && !t->running && hears(a, video) &&
	    hears(b, video)) {
		t->running = true;
		t->deadline = INT64_MAX;
	}
}

void trial_turn(struct trial *t, int64_t now)
{
	if (!t->begun || t->over)
		return;
	look_at_media(t);
	if (t->over || now < t->deadline)
		return;
	if (t->ended[0] || t->ended[1])
		give_up(t);
	else
		late(t);
}

void trial_add(const struct trial *t, struct peer_sum *sum)
{
	unsigned i;

	for (i = 0; i < TRIAL_SIDES; i++)
		if (t->peer[i])
			peer_add(t->peer[i], sum);
}

struct peer_sum trial_sum(const struct trial *t)
{
	struct peer_sum sum = { 0 };

	trial_add(t, &sum);
	return sum;
}

void trial_judge(struct trial *t)
{
	struct peer_sum sum = trial_sum(t);
	double loss = sum.sent ? 100.0 * (double)(sum.sent - sum.got) /
				 (double)sum.sent : 100;

	if (!t->running || t->over)
		return;
	if (t->ended[0] || t->ended[1]) {
		give_up(t);
	} else if (sum.wrong) {
		fail(t, mend_log, "%llu packets were not as they were sent",
		     (unsigned long long)sum.wrong);
	} else if (loss > t->all->o.max_loss) {
		fail(t, mend_loss, "%.2f %% of packets were lost", loss);
	} else {
		next(t, TRIAL_END);
		phone_terminate(&t->phone[TRIAL_CALLER]);
	}
}
