/* points.c: the daemon dies at every point at which a crash differs from
 * another one, in ten short stories of the simulator (tests/sim).
 *
 * A story is played once, and what the daemon does to the outside is counted:
 * stanzas and pings given to the link, batches given to the store, commits. It
 * is then played again for each of these, dying just before it and just after
 * it; each time with the turn's stanzas written or not (they are one write at
 * its end), and with each number of the batches that were not committed yet on
 * the disk. Then it starts again, the people go on, and the judges of the
 * simulator look at all of it (I01 to I18, liveness at rest, each notice once
 * or, after the crash, twice with one id).
 *
 * With --twice it dies a second time, at each point after the start; this with
 * one seed for each story.
 *
 * What clients they have and what they choose to do is drawn from a seed; those
 * seeds are taken, from 1 on, with which they do, undisturbed, what the story
 * tells.
 */
#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include "tests/sim/sim.h"

#define SEEDS 4                    /* of a story */
#define TRIES 100000
#define STATES 1000000             /* of the randomness, for a fate */
#define IDS 32                     /* of notices in a story */

enum act { CALLS, COMES, GOES, IS_BUSY, WAITS };

struct step {
	unsigned ms;               /* after the one before */
	enum act act;
	unsigned who, device, whom;
};

static const struct story {
	const char *name;
	/* Each user's devices: '+' is online at first, '-' is not. */
	const char *people[3];
	struct step step[8];       /* up to the first without time */
	unsigned ends[3];          /* what the log says, CAUSES: answered */
	unsigned ends_n, notices;
} stories[] = {
	{ "answered and hung up", { "+", "+" },
	  { { 1000, CALLS, 0, 0, 1 }, { 90000, WAITS, 0, 0, 0 } },
	  { CAUSES }, 1, 2 },
	{ "declined", { "+", "+" },
	  { { 1000, CALLS, 0, 0, 1 }, { 40000, WAITS, 0, 0, 0 } },
	  { CAUSE_DECLINED }, 1, 2 },
	{ "unanswered", { "+", "+" },
	  { { 1000, CALLS, 0, 0, 1 }, { 40000, WAITS, 0, 0, 0 } },
	  { CAUSE_UNANSWERED }, 1, 2 },
	{ "cancelled", { "+", "+" },
	  { { 1000, CALLS, 0, 0, 1 }, { 40000, WAITS, 0, 0, 0 } },
	  { CAUSE_CANCELLED }, 1, 1 },
	{ "two devices", { "+", "++" },
	  { { 1000, CALLS, 0, 0, 1 }, { 90000, WAITS, 0, 0, 0 } },
	  { CAUSES }, 1, 2 },
	{ "both call each other", { "+", "+" },
	  { { 1000, CALLS, 0, 0, 1 }, { 1, CALLS, 1, 0, 0 },
	    { 90000, WAITS, 0, 0, 0 } },
	  { CAUSE_GLARE, CAUSES }, 2, 2 },
	{ "called again within the window", { "+", "++" },
	  { { 1000, CALLS, 0, 0, 1 }, { 60000, CALLS, 1, 0, 0 },
	    { 90000, WAITS, 0, 0, 0 } },
	  { CAUSES, CAUSES }, 2, 4 },
	{ "a second call is taken", { "+", "+", "+" },
	  { { 1000, CALLS, 0, 0, 1 }, { 20000, CALLS, 2, 0, 1 },
	    { 90000, WAITS, 0, 0, 0 } },
	  { CAUSES, CAUSES }, 2, 4 },
	{ "busy", { "+", "+", "+" },
	  { { 1, IS_BUSY, 1, 0, 0 }, { 1000, CALLS, 0, 0, 1 },
	    { 20000, CALLS, 2, 0, 1 }, { 90000, WAITS, 0, 0, 0 } },
	  { CAUSE_BUSY, CAUSES }, 2, 4 },
	{ "missed, and told later", { "+", "-" },
	  { { 1000, CALLS, 0, 0, 1 }, { 5000, COMES, 1, 0, 0 },
	    { 10000, GOES, 1, 0, 0 }, { 5000, COMES, 1, 0, 0 },
	    { 20000, WAITS, 0, 0, 0 } },
	  { CAUSE_NOT_ACTIVE }, 1, 2 },
};
#define STORIES (sizeof(stories) / sizeof(stories[0]))

enum kind { A_SEND, A_PUSH, A_COMMIT, KINDS };
static const char *const kind_names[KINDS] = { "send", "push", "commit" };

/* Where the daemon dies: at the n-th of a kind; n is 0: nowhere. */
struct point {
	enum kind kind;
	unsigned n;
	bool after;
	unsigned fate;             /* of those that are possible there */
};

static const struct story *story;
static struct point point, second; /* the next one; after the first death */
static unsigned step, seen[KINDS], fates;
static bool told;                  /* it went as the story tells */
static struct { char id[40]; unsigned copies; } notice[IDS];
static unsigned notices;
static unsigned runs, doubled, doubled_most;

/* --- dying ------------------------------------------------------------- */

/* What of the turn leaves and how much of the tail is on the disk is drawn
 * from R_FAULT, by turn_end() and drivers_crash(): the draws are made here
 * beforehand, with one state after the other, until one gives what is
 * wanted. */
static bool state_gives(uint64_t state, size_t outs, bool written, size_t tail,
			size_t kept)
{
	size_t sent = outs, k = 0;

	W.rng[R_FAULT] = state;
	if (below(R_FAULT, 2))
		sent = below(R_FAULT, (unsigned)outs + 1);
	while (k < tail && below(R_FAULT, 2))
		k++;
	return sent == (written ? outs : 0) && k == kept;
}

static void choose_fate(void)
{
	size_t outs = W.outs_n, tail = store_waiting(), writes = outs ? 2 : 1;
	uint64_t s;

	fates = (unsigned)(writes * (tail + 1));
	for (s = 1; s < STATES; s++)
		if (state_gives(s, outs, point.fate % writes == 0, tail,
				point.fate / writes))
			break;
	assert(s < STATES);
	W.rng[R_FAULT] = s;
}

static bool lives(void)
{
	return W.running && !W.dead && !W.resting;
}

/* The daemon is at the next point of this kind. True: it dies here. */
static bool at(enum kind kind, bool after)
{
	if (!after)
		seen[kind]++;
	if (point.kind != kind || point.n != seen[kind] ||
	    point.after != after)
		return false;
	W.dead = true;
	choose_fate();
	point = second;
	second.n = 0;
	memset(seen, 0, sizeof(seen));
	return true;
}

/* The functions of drivers.c around which it happens (-Wl,--wrap). */
int __real_link_send_text(struct link *l, const char *text, size_t len,
			  bool urgent);
int __wrap_link_send_text(struct link *l, const char *text, size_t len,
			  bool urgent);
int __real_link_send(struct link *l, const struct xml_elem *stanza,
		     bool urgent);
int __wrap_link_send(struct link *l, const struct xml_elem *stanza,
		     bool urgent);
int __real_link_barrier(struct link *l, void (*done)(bool ok, void *arg),
			void *arg);
int __wrap_link_barrier(struct link *l, void (*done)(bool ok, void *arg),
			void *arg);
int __real_store_thread_push(struct store_thread *t, uint64_t n,
			     struct store_batch *b);
int __wrap_store_thread_push(struct store_thread *t, uint64_t n,
			     struct store_batch *b);
void __real_store_attempt(void);
void __wrap_store_attempt(void);
void __real_server_from_daemon(const struct scan *s);
void __wrap_server_from_daemon(const struct scan *s);

int __wrap_link_send_text(struct link *l, const char *text, size_t len,
			  bool urgent)
{
	bool counts = lives() && W.link_up;
	int e;

	if (counts)
		at(A_SEND, false);
	e = __real_link_send_text(l, text, len, urgent);
	if (counts && lives())
		at(A_SEND, true);
	return e;
}

int __wrap_link_send(struct link *l, const struct xml_elem *stanza,
		     bool urgent)
{
	bool counts = lives() && W.link_up;
	int e;

	if (counts)
		at(A_SEND, false);
	e = __real_link_send(l, stanza, urgent);
	if (counts && lives())
		at(A_SEND, true);
	return e;
}

int __wrap_link_barrier(struct link *l, void (*done)(bool ok, void *arg),
			void *arg)
{
	bool counts = lives() && W.link_up;
	int e;

	if (counts)
		at(A_SEND, false);
	e = __real_link_barrier(l, done, arg);
	if (counts && lives())
		at(A_SEND, true);
	return e;
}

int __wrap_store_thread_push(struct store_thread *t, uint64_t n,
			     struct store_batch *b)
{
	bool counts = lives();
	int e;

	if (counts)
		at(A_PUSH, false);
	e = __real_store_thread_push(t, n, b);
	if (counts && lives())
		at(A_PUSH, true);
	return e;
}

/* The store's thread writes while the loop waits: nothing is half sent. */
static void die_here(void)
{
	turn_begin();
	turn_end();
}

void __wrap_store_attempt(void)
{
	bool counts = lives() && store_waiting();

	if (counts && at(A_COMMIT, false))
		die_here();
	__real_store_attempt();
	if (counts && lives() && at(A_COMMIT, true))
		die_here();
}

/* A notice reaches the server. */
void __wrap_server_from_daemon(const struct scan *s)
{
	unsigned i;

	if (s->kind == 'm' && str_is(s->type, "headline")) {
		for (i = 0; i < notices && !str_is(s->id, notice[i].id); i++)
			;
		assert(i < IDS);
		if (i == notices)
			snprintf(notice[notices++].id, sizeof(notice[i].id),
				 "%.*s", (int)s->id.n, s->id.p);
		notice[i].copies++;
	}
	__real_server_from_daemon(s);
}

/* --- the people (in the place of tests/sim/user.c) --------------------- */

static void make_devices(struct user *u, unsigned user, const char *signs)
{
	struct device *d;

	for (; *signs; signs++) {
		d = &u->device[u->devices];
		d->user = (uint8_t)user;
		d->number = u->devices++;
		snprintf(d->jid, sizeof(d->jid), "%s/zq%c%u", u->bare,
			 'a' + (char)user, d->number);
		d->quirk = (enum quirk)below(R_USER, QUIRKS);
		d->caps = true;
		if (*signs == '+')
			world_event(W.now + 500, E_LOGIN,
				    user * DEVICES + d->number, NULL);
	}
}

static void make_user(unsigned user, const char *signs)
{
	static const char *const names[] = { "ann", "bob", "cid" };
	struct user *u = &W.user[user];

	memset(u, 0, sizeof(*u));
	snprintf(u->name, sizeof(u->name), "%s", names[user]);
	snprintf(u->bare, sizeof(u->bare), "%s@" HOST, names[user]);
	snprintf(u->contact, sizeof(u->contact), "%s@" DOMAIN, names[user]);
	u->stored_end = &u->stored;
	u->who = WHO_SERVER;
	u->messages = true;
	make_devices(u, user, signs);
}

/* They have known the service and each other for long. */
static void make_rosters(void)
{
	struct store_batch *b = store_batch_new();
	struct store_op op = { .kind = STORE_CONTACT_PUT };
	struct user *u;
	unsigned a;

	for (u = W.user; u < W.user + W.users_n; u++)
		for (a = 0; a < ADDRESSES; a++) {
			if (&W.user[a] == u || (a >= W.users_n && a < USERS))
				continue;
			u->sub_to[a] = u->sub_from[a] = true;
			op.u.contact.user = u->bare;
			op.u.contact.contact = a == SERVICE ? DOMAIN :
						W.user[a].contact;
			op.u.contact.to = op.u.contact.from = true;
			if (store_batch_add(b, &op))
				abort();
		}
	world_stored(b);
}

void user_make(void)
{
	unsigned u;

	W.users_n = story->people[2] ? 3 : 2;
	for (u = 0; u < W.users_n; u++)
		make_user(u, story->people[u]);
	make_rosters();
}

static void is_busy(unsigned user)
{
	const char *expected;

	if (!W.running || W.leaving)
		return;
	turn_begin();
	users_set(W.dm, W.user[user].bare, "second_call", "busy", &expected);
	turn_end();
}

static void act(const struct step *s)
{
	struct device *d = &W.user[s->who].device[s->device];
	char sid[SID_SIZE];

	switch (s->act) {
	case CALLS:
		snprintf(sid, sizeof(sid), "%012llx",
			 (unsigned long long)(chance(R_USER) >> 16));
		client_call(d, s->whom, sid);
		break;
	case COMES:
		client_login(d);
		break;
	case GOES:
		client_logout(d, true);
		break;
	case IS_BUSY:
		is_busy(s->who);
		break;
	case WAITS:
		break;
	}
}

static bool is_talking(const struct device *d)
{
	unsigned i;

	for (i = 0; i < SESSIONS; i++)
		if (d->session[i].state != C_FREE &&
		    d->session[i].state != C_OVER)
			return true;
	return false;
}

/* The log, the notices, and nobody in a call or ringing any more. */
static bool went_as_told(void)
{
	uint64_t results[CAUSES + 1] = { 0 };
	unsigned i;

	for (i = 0; i < story->ends_n; i++)
		results[story->ends[i]]++;
	for (i = 0; i < W.users_n * DEVICES; i++)
		if (is_talking(world_device(i)))
			return false;
	return memcmp(results, W.count.results, sizeof(results)) == 0 &&
	       W.count.notices == story->notices;
}

void user_acts(void)
{
	const struct step *s = &story->step[step];

	if (W.resting)
		return;
	if (step)
		act(s - 1);
	if (s->ms) {
		step++;
		world_event(W.now + s->ms, E_USER, 0, NULL);
		return;
	}
	told = went_as_told();
	W.stop_at = 0;
}

/* --- playing ----------------------------------------------------------- */

static void play(uint64_t seed, const struct point p[2], bool verbose)
{
	world_clear(seed);
	W.attempts = UINT32_MAX;
	W.stop_at = UINT64_MAX;
	W.off = UINT32_MAX;
	W.verbose = verbose;
	memset(seen, 0, sizeof(seen));
	memset(notice, 0, sizeof(notice));
	point = p[0];
	second = p[1];
	step = notices = 0;
	fates = 1;
	told = false;
	world_run();
	runs++;
}

static const struct point nowhere[2];

/* What is wrong with the run, beside what the judges found. */
static const char *wrong(unsigned deaths)
{
	unsigned i, more = 0;

	if (W.failed)
		return W.fault;
	if (point.n || W.count.crashes != deaths)
		return "the point was not met";
	for (i = 0; i < notices; i++) {
		if (notice[i].copies > 1 + deaths)
			return "more copies of a notice than deaths";
		more += notice[i].copies - 1;
	}
	doubled += more;
	if (more > doubled_most)
		doubled_most = more;
	return NULL;
}

static void name_point(char to[24], const struct point *p)
{
	snprintf(to, 24, "%c%u%c%u", kind_names[p->kind][0], p->n,
		 p->after ? '+' : '-', p->fate);
}

static bool bad(uint64_t seed, const struct point p[2])
{
	const char *what = wrong(p[1].n ? 2 : 1);
	char names[2][24] = { "", "" };

	if (!what)
		return false;
	name_point(names[0], &p[0]);
	if (p[1].n)
		name_point(names[1], &p[1]);
	printf("# --story %u --seed %llu %s %s: %s: %s\n",
	       (unsigned)(story - stories) + 1, (unsigned long long)seed,
	       names[0], names[1], what, W.fault_text);
	return true;
}

/* Dies at each point of the n, and with `twice` at each one after it. */
static unsigned die_everywhere(uint64_t seed, struct point p[2], unsigned i,
			       const unsigned n[KINDS], bool twice)
{
	unsigned failed = 0, k, after, all, m[KINDS];

	for (k = 0; k < KINDS; k++)
		for (p[i].n = 1; p[i].n <= n[k]; p[i].n++)
			for (after = 0; after < 2; after++) {
				p[i].kind = (enum kind)k;
				p[i].after = after;
				p[i].fate = 0;
				do {
					play(seed, p, false);
					failed += bad(seed, p);
					all = fates;
					memcpy(m, seen, sizeof(m));
					if (twice)
						failed += die_everywhere(seed,
							p, 1, m, false);
				} while (++p[i].fate < all);
			}
	p[i].n = 0;
	return failed;
}

/* The next seed with which it goes as told; 0: none. */
static uint64_t next_seed(uint64_t seed)
{
	while (++seed < TRIES) {
		play(seed, nowhere, false);
		if (W.failed)
			printf("# seed %llu, undisturbed: %s: %s\n",
			       (unsigned long long)seed, W.fault,
			       W.fault_text);
		if (W.failed)
			return 0;
		if (told)
			return seed;
	}
	return 0;
}

static bool tell(unsigned number, bool twice)
{
	unsigned i, k, n[KINDS], sum[KINDS] = { 0 }, failed = 0;
	struct point p[2] = { { .n = 0 }, { .n = 0 } };
	uint64_t seed = 0;

	runs = doubled = doubled_most = 0;
	for (i = 0; i < (twice ? 1 : SEEDS) && !failed; i++) {
		seed = next_seed(seed);
		memcpy(n, seen, sizeof(n));
		for (k = 0; k < KINDS; k++)
			sum[k] += n[k];
		failed = seed ? die_everywhere(seed, p, 0, n, twice) : 1;
	}
	printf("%sok %u - %s\n", failed ? "not " : "", number, story->name);
	printf("# %u seeds up to %llu: %u sends, %u pushes, %u commits; %u "
	       "runs, %u bad; copies more of a notice: %u, at most %u in a "
	       "run\n", i, (unsigned long long)seed, sum[A_SEND], sum[A_PUSH],
	       sum[A_COMMIT], runs, failed, doubled, doubled_most);
	fflush(stdout);
	return !failed;
}

/* "s12+0": after the 12th send, fate 0. */
static bool read_point(const char *text, struct point *p)
{
	char kind, side;

	if (sscanf(text, "%c%u%c%u", &kind, &p->n, &side, &p->fate) != 4 ||
	    !strchr("spc", kind))
		return false;
	p->kind = kind == 's' ? A_SEND : kind == 'p' ? A_PUSH : A_COMMIT;
	p->after = side == '+';
	return true;
}

static int usage(void)
{
	puts("Usage: points [--twice] [--story N]\n"
	     "       points --story N --seed S [POINT [POINT]]   its dialogue");
	return 64;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "story", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "twice", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	struct point p[2] = { { .n = 0 }, { .n = 0 } };
	unsigned long only = 0, seed = 0, i;
	unsigned told_n = 0, failed = 0;
	bool twice = false;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 's')
			only = strtoul(optarg, NULL, 10);
		else if (o == 'r')
			seed = strtoul(optarg, NULL, 10);
		else if (o == 't')
			twice = true;
		else
			return usage();
	}
	for (i = 0; i < 2 && optind < argc; i++)
		if (!read_point(argv[optind++], &p[i]))
			return usage();
	if (only > STORIES || (seed && !only))
		return usage();
	client_start();
	if (seed) {
		story = &stories[only - 1];
		play(seed, p, true);
		return W.failed;
	}
	printf("1..%u\n", only ? 1 : (unsigned)STORIES);
	for (story = stories; story < stories + STORIES; story++)
		if (!only || story == &stories[only - 1])
			failed += !tell(++told_n, twice);
	return failed != 0;
}
