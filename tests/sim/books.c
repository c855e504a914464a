/* books.c: what the store was given, against what happened and against the
 * tables of product.md (I01, I07, I08, I14 - I16).
 *
 * A batch is judged when it is pushed, in the turn that made it: its log rows
 * against what was received since the last one, its notices against its log
 * rows. It counts when it is committed. Each notice is counted from its log
 * row to the server's word that it has been taken: what is due, what waits
 * and what was given must agree after every commit (conservation).
 */
#include <stdlib.h>
#include "tests/sim/watch.h"

#define NOTICES 512                /* rows of the outbox at once */
#define RINGS_MINUTE 60000

struct mail {
	char id[40], peer[24], kind[12];
	uint8_t user;
	bool stored, live, taken, unsent;
	unsigned count, copies, disturbed; /* crashes and cuts before it */
};

static struct mail *mail;
static unsigned mails, mail_cap;
static unsigned due[USERS], done[USERS];       /* notices */

/* What a pushed batch adds to `due`, in the order of pushes. */
struct expected { unsigned n[USERS]; };
static struct expected *expected;
static unsigned expected_from, expected_to, expected_cap;

/* --- what the table says ---------------------------------------------- */

enum told { NONE, REFUSED, MISSED, MISSED_IF_RUNG, WRITE_BACK, SAME,
	    DETAILS };

/* product.md, "Refusals": by what the log calls it. */
static const struct rule {
	const char *result;
	enum told caller, callee;
	const char *reason;        /* NULL: as given */
	bool offer;                /* of a message, to the caller */
} rules[] = {
	{ "not-active", REFUSED, MISSED, "gone", 1 },
	{ "dnd", REFUSED, MISSED, "gone", 1 },
	{ "unknown-user", REFUSED, NONE, "gone", 1 },
	{ "blocked", REFUSED, NONE, "gone", 1 },
	{ "privacy", REFUSED, NONE, "decline", 0 },
	{ "needs-messaging", REFUSED, NONE, "decline", 0 },
	{ "switch-off", REFUSED, MISSED_IF_RUNG, "decline", 1 },
	{ "no-video", REFUSED, NONE, "decline", 1 },
	{ "busy", REFUSED, MISSED, "busy", 1 },
	{ "declined", REFUSED, WRITE_BACK, "decline", 1 },
	{ "unanswered", REFUSED, MISSED, "timeout", 1 },
	{ "cancelled", NONE, MISSED_IF_RUNG, "cancel", 0 },
	{ "glare", NONE, NONE, "expired", 0 },
	{ "self", REFUSED, NONE, "decline", 0 },
	{ "remote", REFUSED, NONE, "decline", 0 },
	{ "no-codec", REFUSED, MISSED, "incompatible-parameters", 1 },
	{ "no-capacity", REFUSED, MISSED_IF_RUNG, "gone", 1 },
	{ "draining", REFUSED, MISSED_IF_RUNG, "gone", 1 },
	{ "restart", REFUSED, MISSED_IF_RUNG, "gone", 1 },
	{ "caller-gone", REFUSED, MISSED, "gone", 1 },
	{ "failed", REFUSED, SAME, NULL, 1 },
	{ "re-entered", NONE, NONE, "expired", 0 },
	{ "ended-by-admin", REFUSED, MISSED_IF_RUNG, "gone", 0 },
	{ "interrupted", REFUSED, NONE, "connectivity-error", 0 },
	{ "answered", DETAILS, DETAILS, NULL, 0 },
};

static const struct rule *rule_of(const char *result)
{
	unsigned i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].result, result) == 0)
			return &rules[i];
	return NULL;
}

static const char *kind_of(enum told t)
{
	static const char *const kinds[] = {
		NULL, "refused", "missed", "missed", "write-back", "failed",
		"details",
	};

	return kinds[t];
}

/* --- notices ---------------------------------------------------------- */

/* As much as there is room for. */
static void copy_text(char *to, const char *from, size_t size)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = 0;
}

static struct mail *find_mail(const char *id)
{
	unsigned i;

	for (i = mails; i--;)
		if (is(mail[i].id, id))
			return &mail[i];
	return NULL;
}

static struct mail *mail_get(const char *id)
{
	struct mail *m = find_mail(id);

	if (m)
		return m;
	if (mails == mail_cap) {
		mail_cap = mail_cap ? 2 * mail_cap : 64;
		mail = realloc(mail, mail_cap * sizeof(*mail));
		if (!mail)
			abort();
	}
	m = &mail[mails++];
	memset(m, 0, sizeof(*m));
	copy_text(m->id, id, sizeof(m->id));
	return m;
}

/* The op puts a notice that was not there. */
static bool is_new(const struct store_op *op)
{
	return op->kind == STORE_OUTBOX_PUT && !op->u.outbox.sent &&
	       strcmp(op->u.outbox.kind, "folded") != 0 &&
	       !find_mail(op->u.outbox.id);
}

static bool wants(unsigned user, enum told t, const char *result)
{
	enum notices how = O.user[user].notices;

	if (how != NOTICES_AUTO)
		return how == NOTICES_ALWAYS;
	return (t != MISSED && t != MISSED_IF_RUNG) ||
	       strcmp(result, "not-active") == 0 ||
	       strcmp(result, "dnd") == 0 || strcmp(result, "busy") == 0;
}

/* A batch under judgment: which of its notices have a cause. */
#define OPS 512
static bool explained[OPS];

/* I09: a message is offered when site, caller and callee allow it, and the
 * table does; -1: a setting was changed meanwhile. */
static void check_offer(const struct store_outbox *o, int offer)
{
	bool has = strstr(o->body, "\nSend a message instead: ") ||
		   strstr(o->body, "\nWrite: ");

	if (offer >= 0 && has != offer)
		broken("I09", "%s an offer to %s: %s", has ? "there is" :
		       "there is not", o->user, o->body);
}

/* -1: must not be there; 1: must; 0: may. */
static void expect(const struct store_batch *b, int must, int user,
		   const char *peer, enum told t, const char *result,
		   int offer, struct expected *e)
{
	size_t i, n = store_batch_count(b);
	const struct store_op *op;

	if (user < 0 || t == NONE || must < 0 ||
	    !wants((unsigned)user, t, result))
		return;
	for (i = 0; i < n && i < OPS; i++) {
		op = store_batch_get(b, i);
		if (explained[i] || !is_new(op) ||
		    strcmp(op->u.outbox.user, W.user[user].bare) != 0 ||
		    strcmp(op->u.outbox.peer, peer) != 0 ||
		    strcmp(op->u.outbox.kind, kind_of(t)) != 0)
			continue;
		explained[i] = true;
		e->n[user]++;
		check_offer(&op->u.outbox, offer);
		return;
	}
	if (must > 0)
		broken("I08", "%s gets no notice (%s) of a call that was %s",
		       W.user[user].bare, kind_of(t), result);
}

/* --- the log ---------------------------------------------------------- */

/* His user has just answered somebody else, or come back to him (F26). */
static bool took_other(int user, int but)
{
	const struct pair *p;
	int i;

	for (i = 0; i <= USERS; i++) {
		p = watch_pair((unsigned)user, (unsigned)i);
		if (i != user && i != but && (p->answered_at == W.now ||
					      p->returned_at == W.now))
			return true;
	}
	return false;
}

/* I07: the log says what happened: one of these was seen. Trouble (a lost
 * link, a crash, an error for a stanza of ours) may end any ringing. */
static const struct { const char *result; unsigned saw; } proofs[] = {
	{ "answered", SAW_ANSWERED },
	{ "declined", SAW_DECLINED },
	{ "cancelled", SAW_CANCELLED },
	{ "unanswered", SAW_OWN_TIMEOUT | SAW_DEVICE_OUT | SAW_GONE |
			SAW_TROUBLE },
	{ "busy", SAW_BUSY },
	{ "glare", SAW_CROSSED | SAW_MAYBE_CROSSED },
	{ "restart", SAW_RESTARTED },
	{ "blocked", SAW_BOUNCED },
	{ "caller-gone", SAW_GONE | SAW_TROUBLE },
	{ "ended-by-admin", SAW_ADMIN },
	{ "failed", SAW_DEVICE_OUT | SAW_HUNG_UP | SAW_GONE | SAW_TROUBLE |
		    SAW_MEDIA },
	{ "no-codec", SAW_DEVICE_OUT },
	{ "no-capacity", SAW_MEDIA },
	{ "interrupted", SAW_MEDIA },
	{ "not-active", SAW_INACTIVE | SAW_RESTARTED },
	{ "dnd", SAW_INACTIVE | SAW_RESTARTED },
};

static unsigned proofs_of(const char *result)
{
	unsigned i;

	for (i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
		if (is(proofs[i].result, result))
			return proofs[i].saw;
	return 0;
}

/* What is true by what is now, or has lasted. */
static bool holds(const struct store_log *l, const struct pair *p, int caller,
		  int callee)
{
	int64_t ran = W.now - p->began;

	if (is(l->result, "cancelled"))
		return took_other(caller, callee);
	if (is(l->result, "unanswered"))
		return ran >= W.conf.site.ring_timeout;
	if (is(l->result, "failed"))
		return ran >= W.conf.site.setup_timeout;
	if (is(l->result, "busy"))
		return callee >= 0 && O.user[callee].second == SECOND_BUSY;
	if (is(l->result, "draining"))
		return W.draining || W.leaving;
	if (is(l->result, "switch-off"))
		return !O.now.enabled;
	if (is(l->result, "self"))
		return caller == callee;
	if (is(l->result, "unknown-user") || is(l->result, "not-active"))
		return callee < 0;
	/* Decided when he called, and said after the fixed delay. */
	if (is(l->result, "privacy"))
		return p->private_at &&
		       W.now - p->private_at <= W.conf.site.refuse_delay;
	return is(l->result, "re-entered");
}

static bool is_true(const struct store_log *l, const struct pair *p,
		    int caller, int callee)
{
	return p->saw & proofs_of(l->result) || holds(l, p, caller, callee);
}

static bool near(int64_t a, int64_t b)
{
	return a - b <= 1000 && b - a <= 1000;
}

static void check_times(const struct store_log *l, const struct pair *p)
{
	if (!near(l->ended, W.now + W.wall_offset))
		broken("I07", "%s ended %lld ms from now", l->call,
		       (long long)(W.now + W.wall_offset - l->ended));
	if (l->answered && p->saw & SAW_ANSWERED && !p->jumped &&
	    !(p->saw & SAW_RESTARTED) &&
	    !near(l->answered, p->answered_wall))
		broken("I07", "%s was answered %lld ms from the answer",
		       l->call, (long long)(p->answered_wall - l->answered));
}

/* Somebody was rung in this round, as far as the daemon can still know. */
static const struct ring *ring_of(int caller, int callee)
{
	const struct ring *r;
	unsigned i;

	for (i = O.rings; i--;) {
		r = &O.ring[i];
		if (r->caller == caller && r->callee == callee && !r->ended &&
		    !r->amnesia &&
		    watch_row(r->callee, r->caller, str_of(r->sid[0]))
							->pushed != 99)
			return r;
	}
	return NULL;
}

/* I06, X9: who was rung crosswise missed nothing. */
static int callee_must(const struct store_log *l, const struct pair *p,
		       enum told t, bool rung, int offer)
{
	if (t == MISSED_IF_RUNG && !rung)
		return -1;
	if (t == WRITE_BACK && offer < 1)
		return offer < 0 ? 0 : -1;
	/* He took a call for which there was no port: he was there. */
	if (l->answered)
		return strcmp(l->result, "no-capacity") == 0 ? -1 : 1;
	if (p->saw & SAW_RESTARTED && p->saw & SAW_CROSSED)
		return 0;      /* nothing of it is stored */
	if (p->saw & SAW_MAYBE_CROSSED)
		return 0;
	/* It crossed, and was refused; or that was an attempt before it. */
	if (p->saw & SAW_CROSSED && !rung && p->began != p->attempt_at)
		return 0;
	return p->saw & SAW_CROSSED ? -1 : 1;
}

static struct pair *pair_of_log(const struct store_log *l)
{
	int caller = user_of_bare(l->caller), callee = user_of_bare(l->callee);

	return watch_pair(caller < 0 ? USERS : (unsigned)caller,
			  callee < 0 ? USERS : (unsigned)callee);
}

/* Facts are asked once in a round, and say whether a message is offered. -1: a
 * setting was changed meanwhile. */
static int offer_of(const struct pair *p, const struct ring *rung,
		    const struct attempt *wait)
{
	bool offer = rung ? rung->offer : wait ? wait->offer : p->offer;
	unsigned settled = rung ? rung->settled :
			   wait ? wait->settled : p->settled;

	if (settled != O.settings || (!rung && p->resettled_at == W.now))
		return -1;
	return offer;
}

/* He was in alone, and has hung up or is lost: in his own words. */
static bool has_own_reason(const struct store_log *l)
{
	return is(l->result, "cancelled") || is(l->result, "caller-gone");
}

static void judge_log(const struct store_batch *b, const struct store_log *l,
		      struct expected *e)
{
	const struct rule *rule = rule_of(l->result);
	int caller = user_of_bare(l->caller), callee = user_of_bare(l->callee);
	struct pair *p = pair_of_log(l);
	struct attempt *wait = watch_wait_of(caller, callee);
	const struct ring *rung = wait ? NULL : ring_of(caller, callee);
	bool alone = wait && !l->answered;
	bool glare = is(l->result, "glare"), seen;
	bool again = l->reason && is(l->reason, "expired") && l->answered;
	enum told t;
	int must, offer = offer_of(p, rung, wait);

	W.count.results[cause_parse(l->result)]++;
	if (!rule) {
		broken("I07", "the log says \"%s\"", l->result);
		return;
	}
	seen = is_true(l, p, caller, callee);
	if (!(alone ? watch_wait_true(wait, l->result, seen) : seen))
		broken("I07", "%s: %s -> %s was never %s", l->call, l->caller,
		       l->callee, l->result);
	check_times(l, p);
	if (rule->reason && !l->answered && !(alone && has_own_reason(l)) &&
	    (!l->reason || !is(l->reason, rule->reason)))
		broken("reason", "%s is told as %s", l->result,
		       l->reason ? l->reason : "nothing");
	if (!again) {
		expect(b, 1, caller, l->callee, rule->caller, l->result,
		       rule->caller == DETAILS ? 0 : offer < 0 ? -1 :
		       offer && rule->offer, e);
		t = rule->callee;
		must = alone ? -1 : /* nobody was rung */
		       callee_must(l, p, t, rung != NULL, offer);
		if (t != NONE)
			expect(b, must, callee, l->caller, t, l->result,
			       t == DETAILS ? 0 : offer < 0 ? -1 :
			       t == SAME ? offer && rule->offer : offer,
			       e);
	}
	p->saw_before = (p->logs_pending ? p->saw_before : 0) | p->saw;
	p->logs_pending++;
	p->jumped = false;
	p->saw = (glare ? SAW_CROSSED : 0) | watch_wait_logged(p, wait) |
		 (p->inactive_at == W.now ? SAW_INACTIVE : 0);
	p->began = W.now;
	p->began_turn = O.turns;
}

/* --- legs ------------------------------------------------------------- */

static struct row *row_get(const struct store_leg *l)
{
	unsigned user = (unsigned)user_of_bare(l->user);
	int other = books_peer(l->own);
	unsigned peer = other < 0 ? UNKNOWN_USER : (unsigned)other;
	struct str sid = str_of(l->sid);
	struct row *row = watch_row(user, peer, sid);

	if (row && is(row->call, l->call))
		return row;
	if (O.rows == O.row_cap) {
		O.row_cap = O.row_cap ? 2 * O.row_cap : 64;
		O.row = realloc(O.row, O.row_cap * sizeof(*O.row));
		if (!O.row)
			abort();
	}
	row = &O.row[O.rows++];
	memset(row, 0, sizeof(*row));
	snprintf(row->sid, sizeof(row->sid), "%.*s", (int)sid.n, sid.p);
	copy_text(row->call, l->call, sizeof(row->call));
	row->side = (uint8_t)l->side;
	row->user = (uint8_t)user;
	row->peer = (uint8_t)peer;
	row->pushed = row->committed = 99;
	return row;
}

/* I14: 5 rings in a minute for a pair, 20 for a caller; the count is of one
 * process. */
static void check_limits(const struct ring *r)
{
	unsigned i, pair = 0, all = 0;

	for (i = O.rings; i--;) {
		const struct ring *o = &O.ring[i];

		if (W.now - o->decided >= RINGS_MINUTE ||
		    o->crashes != O.crashes)
			continue;
		if (o->caller != r->caller)
			continue;
		all++;
		pair += o->callee == r->callee;
	}
	if (pair > W.conf.site.pair_per_minute ||
	    all > W.conf.site.caller_per_minute)
		broken("I14", "%u rings of one pair, %u of one caller", pair,
		       all);
}

/* I01, I02, I15: may he be rung, at the moment of the decision? */
static void judge_ring(const struct store_leg *l, int caller, int callee)
{
	struct ring *r = watch_ring(str_of(l->sid));
	struct pair *p;
	unsigned i;

	if (r)
		return;
	if (caller < 0 || callee < 0 || caller == callee) {
		broken("I01", "%s is rung for nobody", l->user);
		return;
	}
	r = watch_ring_new(str_of(l->sid), (unsigned)caller,
			   (unsigned)callee);
	p = watch_pair((unsigned)caller, (unsigned)callee);
	/* The winner of a glare is rung in the turn that ended the loser; one
	 * that was refused over a limit has no log row and ends nothing. */
	if (p->began != W.now || p->began_turn != O.turns)
		p->saw &= ~(unsigned)SAW_CROSSED;
	r->crossed = p->saw & SAW_CROSSED;
	r->offer = p->offer;
	r->settled = p->settled;
	p->began = W.now;
	for (i = 0; i < W.user[callee].devices; i++)
		r->dev[i].target =
			watch_reachable(&W.user[callee].device[i]);
	if (!watch_active((unsigned)callee))
		broken("I01", "%s is rung, not being active", l->user);
	if (!O.now.enabled)
		broken("I02", "%s is rung while calls are off", l->user);
	if (O.user[callee].who == WHO_NOBODY)
		broken("I01", "%s is rung, who wants no calls", l->user);
	if (O.user[callee].who == WHO_CONTACTS &&
	    !O.contact[callee][caller])
		broken("I01", "%s is rung by no contact", l->user);
	if (O.user[callee].second == SECOND_BUSY &&
	    watch_in_call((unsigned)callee, (unsigned)caller))
		broken("I15", "%s is rung in a call", l->user);
	watch_wait_rung((unsigned)caller, (unsigned)callee);
	check_limits(r);
}


/* A device that is rung by an id of its own (after a tie-break). */
static void note_aliases(const struct store_leg *l)
{
	struct ring *r = l->sid ? watch_ring(str_of(l->sid)) : NULL;
	const char *at = l->data, *end;
	struct str sid;

	while (r && at && (at = strstr(at, "device "))) {
		at += strlen("device 00000 ");
		end = at + strcspn(at, " \n");
		sid = (struct str){ at, (size_t)(end - at) };
		if (!str_is(sid, "-") && !watch_ring(sid) &&
		    r->sids < ALIASES)
			snprintf(r->sid[r->sids++], SID_SIZE, "%.*s",
				 (int)sid.n, sid.p);
	}
}

/* A leg has one session: what was of another id is over, so nobody is in by
 * that row, were its id used again (147317). */
static void push_over(const struct store_leg *l)
{
	struct row *row;

	for (row = O.row; row < O.row + O.rows; row++)
		if (row->pushed < LEG_ENDED && row->side == l->side &&
		    is(row->call, l->call))
			row->pushed = LEG_ENDED;
}

static void push_leg(const struct store_leg *l)
{
	struct row *row;
	int user = user_of_bare(l->user), peer = books_peer(l->own);

	push_over(l);
	if (!l->sid)
		return;
	row = row_get(l);
	row->pushed = l->state;
	if (l->state != LEG_RINGING)
		return;
	judge_ring(l, peer, user);
	if (store_degraded())
		note_aliases(l);
}

/* The round of a call is over: its ringing is. */
static void end_rings(const struct store_log *l)
{
	int caller = user_of_bare(l->caller), callee = user_of_bare(l->callee);
	unsigned i;

	for (i = 0; i < O.rings; i++)
		if (O.ring[i].caller == caller && O.ring[i].callee == callee &&
		    !O.ring[i].ended)
			O.ring[i].ended = W.now;
}

/* --- a batch is pushed ------------------------------------------------ */

static struct expected *expected_new(void)
{
	if (expected_to == expected_cap) {
		expected_cap = expected_cap ? 2 * expected_cap : 256;
		expected = realloc(expected, expected_cap *
				   sizeof(*expected));
		if (!expected)
			abort();
	}
	memset(&expected[expected_to], 0, sizeof(*expected));
	return &expected[expected_to++];
}

/* Over a limit: told, but not in the log. */
static bool is_limit(const struct store_op *op)
{
	return is(op->u.outbox.kind, "refused") &&
	       strncmp(op->u.outbox.body, "Too many calls", 14) == 0;
}

/* Whom he crossed has won, and was refused: a round without a row. */
static void over_limit(int user, int peer)
{
	watch_pair((unsigned)user, peer < 0 ? USERS : (unsigned)peer)->saw &=
		~(unsigned)SAW_CROSSED;
}

static void judge_rest(const struct store_batch *b, struct expected *e)
{
	size_t i, n = store_batch_count(b);
	const struct store_op *op;
	int user;

	for (i = 0; i < n && i < OPS; i++) {
		op = store_batch_get(b, i);
		if (!is_new(op) || explained[i])
			continue;
		user = user_of_bare(op->u.outbox.user);
		if (user >= 0 && is_limit(op)) {
			e->n[user]++;
			over_limit(user, user_of_bare(op->u.outbox.peer));
		} else if (watch_is_return(b, op)) {
			e->n[user]++;
			watch_pair((unsigned)user, (unsigned)user_of_bare(
				op->u.outbox.peer))->returns_told++;
		} else {
			broken("I08", "a notice (%s) to %s without a cause: "
			       "%s", op->u.outbox.kind, op->u.outbox.user,
			       op->u.outbox.body);
		}
	}
}

static void push_op(const struct store_batch *b, const struct store_op *op,
		    struct expected *e)
{
	books_set(op, false);
	if (op->kind == STORE_LEG_PUT)
		push_leg(&op->u.leg);
	if (op->kind != STORE_LOG_PUT)
		return;
	judge_log(b, &op->u.log, e);
	end_rings(&op->u.log);
}

void watch_pushed(const struct store_batch *b)
{
	struct expected *e = expected_new();
	size_t i, n = store_batch_count(b);

	O.turn_pushed = true;
	memset(explained, 0, sizeof(explained));
	for (i = 0; i < n; i++)
		push_op(b, store_batch_get(b, i), e);
	watch_wait_pushed(b);
	judge_rest(b, e);
	for (i = 0; i < n; i++)
		if (store_batch_get(b, i)->kind == STORE_OUTBOX_PUT)
			mail_get(store_batch_get(b, i)->u.outbox.id);
}

/* --- a batch is committed --------------------------------------------- */

static void put_mail(const struct store_outbox *o)
{
	int user = user_of_bare(o->user);
	struct mail *m = mail_get(o->id);

	if (user < 0)
		return;
	m->user = (uint8_t)user;
	m->stored = m->live = true;
	m->count = o->count;
	copy_text(m->kind, o->kind, sizeof(m->kind));
	copy_text(m->peer, o->peer ? o->peer : "", sizeof(m->peer));
}

/* A row that goes was taken by the server, or lives on in another one. */
static bool is_folded(const struct store_batch *b, const struct mail *m)
{
	size_t i, n = store_batch_count(b);
	const struct store_outbox *o;

	for (i = 0; i < n; i++) {
		if (store_batch_get(b, i)->kind != STORE_OUTBOX_PUT)
			continue;
		o = &store_batch_get(b, i)->u.outbox;
		if (o->count > 1 && user_of_bare(o->user) == m->user &&
		    strcmp(o->id, m->id) != 0)
			return true;
	}
	return false;
}

static void delete_mail(const struct store_batch *b, const char *id)
{
	struct mail *m = find_mail(id);

	if (!m || !m->live)
		return;
	m->live = false;
	if (is_folded(b, m) && !m->taken)
		return;
	if (!m->taken)
		broken("I08", "a notice is deleted that nobody took: %s", id);
	done[m->user] += m->count;
}

static void balance(void)
{
	unsigned have[USERS], u, i;

	memcpy(have, done, sizeof(have));
	for (i = 0; i < mails; i++)
		if (mail[i].live)
			have[mail[i].user] += mail[i].count;
	for (u = 0; u < W.users_n; u++)
		if (have[u] != due[u])
			broken("I08", "%s: %u notices due, %u there or taken",
			       W.user[u].bare, due[u], have[u]);
}

/* What is replaced or deleted in the store is over. A row that is still on
 * its way there is not: when the process dies, it is lost (116308). */
static void row_over(struct row *row)
{
	if (row->committed != 99)
		row->committed = LEG_ENDED;
}

static void commit_leg(const struct store_leg *l)
{
	struct row *row;
	unsigned i;

	for (i = 0; i < O.rows; i++)
		if (O.row[i].side == l->side && is(O.row[i].call, l->call))
			row_over(&O.row[i]);
	if (!l->sid)
		return;
	row = row_get(l);
	row->committed = l->state;
	row->committed_at = W.now;
	note_aliases(l);
}

static void commit_forget(const char *call)
{
	unsigned i;

	for (i = 0; i < O.rows; i++)
		if (is(O.row[i].call, call))
			row_over(&O.row[i]);
}

static void commit_op(const struct store_batch *b, const struct store_op *op)
{
	books_set(op, true);
	switch (op->kind) {
	case STORE_LEG_PUT:
		commit_leg(&op->u.leg);
		break;
	case STORE_LOG_PUT:
		pair_of_log(&op->u.log)->logs_pending--;
		pair_of_log(&op->u.log)->is_open |= op->u.log.answered != 0;
		break;
	case STORE_CALL_DEL:
		commit_forget(op->u.key.id);
		break;
	case STORE_OUTBOX_PUT:
		put_mail(&op->u.outbox);
		break;
	case STORE_OUTBOX_DEL:
		delete_mail(b, op->u.key.id);
		break;
	default:
		break;
	}
}

void watch_committed(const struct store_batch *b)
{
	size_t i, n = store_batch_count(b);
	unsigned u;

	for (u = 0; u < USERS && expected_from < expected_to; u++)
		due[u] += expected[expected_from].n[u];
	expected_from++;
	for (i = 0; i < n; i++)
		commit_op(b, store_batch_get(b, i));
	balance();
}

/* --- headlines -------------------------------------------------------- */

void books_headline(const struct scan *s)
{
	char id[40];
	struct mail *m;

	snprintf(id, sizeof(id), "%.*s", (int)s->id.n, s->id.p);
	m = find_mail(id);
	if ((!m || !m->stored) && !store_degraded())
		broken("durable", "a notice before it was stored: %.300s",
		       s->text);
	if (!m)
		return;
	W.count.notices++;
	if (!str_is(s->from, DOMAIN))
		broken("I08", "not from the service: %.300s", s->text);
	if (!m->copies++)
		m->disturbed = O.crashes + O.cuts;
	if (m->copies > 1 + O.crashes + O.cuts - m->disturbed)
		broken("I08", "copy %u of %s", m->copies, id);
	m->unsent = !W.hole;
}

/* The server answered a ping behind them. */
void books_taken(void)
{
	unsigned i;

	for (i = 0; i < mails; i++)
		if (mail[i].unsent) {
			mail[i].taken = true;
			mail[i].unsent = false;
		}
}

void books_links(void)
{
	unsigned i;

	for (i = 0; i < mails; i++)
		mail[i].unsent = false;
}

/* --- the process, and the end ----------------------------------------- */

void books_reset(void)
{
	unsigned u;

	mails = 0;
	expected_from = expected_to = 0;
	memset(due, 0, sizeof(due));
	memset(done, 0, sizeof(done));
	O.now.enabled = O.now.messaging = true;
	O.kept = O.now;
	for (u = 0; u < USERS; u++) {
		O.user[u].who = WHO_SERVER;
		O.user[u].messages = true;
		O.user[u].second = SECOND_WAITING;
		O.user[u].notices = NOTICES_ALWAYS;
	}
	memcpy(O.user_kept, O.user, sizeof(O.user));
	memset(O.contact, 0, sizeof(O.contact));
	memset(O.contact_kept, 0, sizeof(O.contact_kept));
}

void books_crash(void)
{
	unsigned i;

	expected_from = expected_to = 0;
	O.now = O.kept;
	O.settings++;
	memcpy(O.user, O.user_kept, sizeof(O.user));
	memcpy(O.contact, O.contact_kept, sizeof(O.contact));
	for (i = 0; i < O.rows; i++)
		O.row[i].pushed = O.row[i].committed;
	books_links();
}

void books_rest(void)
{
	unsigned i;

	for (i = 0; i < mails; i++)
		if (mail[i].live)
			broken("rest", "a notice (%s) to %s is not delivered",
			       mail[i].kind, W.user[mail[i].user].bare);
	if (store_waiting())
		broken("rest", "the store has not got all");
}

static int count_call(const struct store_call *row, void *arg)
{
	(void)row;
	++*(unsigned *)arg;
	return 0;
}

void books_base(void)
{
	static const struct store_load_handlers handlers = {
		.call_h = count_call,
	};
	unsigned n = 0;

	store_memory()->v->load(store_memory(), &handlers, &n);
	if (n)
		broken("I11", "%u calls are left in the store", n);
}
