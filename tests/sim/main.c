/* main.c: runs seeds, adds up what was met, and makes a small dialogue of the
 * first fault (see sim.h).
 */
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/sim/sim.h"

#define ATTEMPTS 40                /* in one world */
#define JOBS_MAX 64
#define PROGRESS 1000000           /* calls between two lines that say so */

/* What one process has run, in memory that all share. */
struct part {
	struct counts sum;
	uint64_t hash;             /* the same in whatever order seeds run */
	uint64_t at;               /* seed under way; 0: none */
	uint64_t broken;           /* seed that broke an invariant; 0: none */
	double cpu;                /* seconds */
};

struct share {
	_Atomic uint64_t next;     /* seed that nobody has taken yet */
	_Atomic uint64_t calls;
	atomic_bool stop;
	struct part part[JOBS_MAX];
};

struct plan {
	uint64_t from, to, calls;
	unsigned attempts, jobs;
	uint32_t off;
	bool verbose;
};

static void usage(FILE *out)
{
	fputs("Usage: sim [--seed N] [--calls N] [--from A --to B] "
	      "[--jobs N]\n"
	      "           [--attempts N] [--off FAULT]... [--verbose]\n"
	      "  --seed N      the first seed; alone: only this one\n"
	      "  --calls N     seeds until so many calls had a verdict\n"
	      "  --from A --to B  these seeds\n"
	      "  --attempts N  calls of one seed (40)\n"
	      "  --off FAULT   without this fault\n"
	      "  --jobs N      processes (1)\n"
	      "  --verbose     the whole dialogue\n"
	      "Exit status: 1: an invariant is broken, its shortest dialogue "
	      "was printed.\n", out);
}

static void add(struct counts *sum, const struct counts *more)
{
	const uint64_t *from = (const uint64_t *)more;
	uint64_t *to = (uint64_t *)sum;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void run(uint64_t seed, unsigned attempts, uint64_t stop_at,
		uint32_t off, bool verbose)
{
	world_clear(seed);
	W.attempts = attempts;
	W.stop_at = stop_at;
	W.off = off;
	W.verbose = verbose;
	world_run();
}

/* --- the shortest failing run ----------------------------------------- */

/* The same invariant is broken. */
static bool fails(const char *invariant, uint64_t seed, unsigned attempts,
		  uint64_t stop_at, uint32_t off)
{
	run(seed, attempts, stop_at, off, false);
	return W.failed && strcmp(W.fault, invariant) == 0;
}

static void shrink(uint64_t seed, unsigned attempts, uint32_t off)
{
	char invariant[sizeof(W.fault)];
	uint64_t low = 0, high = W.events_n + 1, best;
	unsigned f;

	snprintf(invariant, sizeof(invariant), "%s", W.fault);
	for (f = 0; f < FAULTS; f++)
		if (!(off >> f & 1u) &&
		    fails(invariant, seed, attempts, UINT64_MAX,
			  off | 1u << f)) {
			off |= 1u << f;
			high = W.events_n + 1;
		}
	best = high;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (fails(invariant, seed, attempts, middle, off))
			best = high = middle;
		else
			low = middle + 1;
	}
	printf("--- the shortest run found: seed %llu, %llu events, without",
	       (unsigned long long)seed, (unsigned long long)best);
	for (f = 0; f < FAULTS; f++)
		if (off >> f & 1u)
			printf(" %s", fault_names[f]);
	putchar('\n');
	run(seed, attempts, best, off, true);
	printf("--- %s: %s\n", W.fault, W.fault_text);
}

/* --- the report ------------------------------------------------------- */

static void report(uint64_t from, uint64_t to, const struct part *all,
		   double seconds)
{
	const struct counts *sum = &all->sum;
	unsigned i;

	printf("seeds %llu to %llu: %llu calls in %.1f s (%.0f/s), %.1f s of "
	       "CPU (%.0f/s)\n%llu events, %llu stanzas in, %llu out, "
	       "%llu commits, ", (unsigned long long)from,
	       (unsigned long long)to, (unsigned long long)sum->calls,
	       seconds, (double)sum->calls / (seconds > 0 ? seconds : 1),
	       all->cpu, (double)sum->calls / (all->cpu > 0 ? all->cpu : 1),
	       (unsigned long long)sum->events, (unsigned long long)sum->in,
	       (unsigned long long)sum->out, (unsigned long long)sum->commits);
	printf("rings %llu, notices sent %llu, crashes %llu, link cuts %llu, "
	       "attacker's stanzas %llu,\nwaits for another %llu, of which he "
	       "came to %llu\nended:",
	       (unsigned long long)sum->rings,
	       (unsigned long long)sum->notices,
	       (unsigned long long)sum->crashes, (unsigned long long)sum->cuts,
	       (unsigned long long)sum->attacks,
	       (unsigned long long)sum->waits,
	       (unsigned long long)sum->came);
	for (i = 0; i <= CAUSES; i++)
		if (sum->results[i])
			printf(" %s %llu", i < CAUSES ?
			       cause_row((enum cause)i)->name : "answered",
			       (unsigned long long)sum->results[i]);
	printf("\nfaults:");
	for (i = 0; i < FAULTS; i++)
		printf(" %s %llu", fault_names[i],
		       (unsigned long long)sum->faults[i]);
	printf("\nhash %016llx\n", (unsigned long long)all->hash);
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- running many ----------------------------------------------------- */

static struct share *shared;

/* Ends after the seeds under way, with the report. */
static void on_signal(int number)
{
	(void)number;
	shared->stop = true;
}

static void one_seed(const struct plan *p, struct share *s, struct part *part,
		     uint64_t seed)
{
	uint64_t before;

	part->at = seed;
	run(seed, p->attempts, UINT64_MAX, p->off, p->verbose);
	W.count.events = W.events_n;
	add(&part->sum, &W.count);
	part->hash += (W.hash ^ seed) * 0x9e3779b97f4a7c15u;
	if (W.failed) {
		part->broken = seed;
		s->stop = true;
	}
	before = atomic_fetch_add(&s->calls, W.count.calls);
	if ((before + W.count.calls) / PROGRESS > before / PROGRESS) {
		printf("%llu calls, seed %llu\n",
		       (unsigned long long)(before + W.count.calls),
		       (unsigned long long)seed);
		fflush(stdout);
	}
	part->at = 0;
}

/* Takes seeds one by one: whatever stops the run, those from the first to the
 * last one taken have been run. */
static void work(const struct plan *p, struct share *s, struct part *part)
{
	uint64_t seed;

	while (!s->stop && !(p->calls && s->calls >= p->calls)) {
		seed = atomic_fetch_add(&s->next, 1);
		if (seed > p->to)
			break;
		one_seed(p, s, part, seed);
	}
	part->cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* True: a process died at work, as it does at an assertion of the daemon. */
static bool wait_for(struct share *s, const pid_t *pid, unsigned jobs)
{
	bool died = false;
	unsigned i;
	int status;

	for (i = 0; i < jobs; i++) {
		while (waitpid(pid[i], &status, 0) < 0)
			;
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		died = s->stop = true;
		printf("BROKEN death at seed %llu: see --seed %llu\n",
		       (unsigned long long)s->part[i].at,
		       (unsigned long long)s->part[i].at);
	}
	return died;
}

static bool work_all(const struct plan *p, struct share *s)
{
	pid_t pid[JOBS_MAX];
	unsigned i;

	if (p->from == p->to) {        /* easier to look into */
		work(p, s, &s->part[0]);
		return false;
	}
	fflush(stdout);
	for (i = 0; i < p->jobs; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			exit(71);
		if (!pid[i]) {
			work(p, s, &s->part[i]);
			fflush(stdout);
			_exit(0);
		}
	}
	return wait_for(s, pid, p->jobs);
}

/* The sum of all; the lowest seed that broke something is the first one. */
static struct part gather(const struct share *s, unsigned jobs)
{
	struct part all = { .at = 0 };
	const struct part *part;

	for (part = s->part; part < s->part + jobs; part++) {
		add(&all.sum, &part->sum);
		all.hash += part->hash;
		all.cpu += part->cpu;
		if (part->broken && (!all.broken || part->broken < all.broken))
			all.broken = part->broken;
	}
	return all;
}

static int execute(const struct plan *p)
{
	struct share *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double start = seconds_of(CLOCK_MONOTONIC);
	struct part all;
	bool died;

	if (s == MAP_FAILED)
		return 71;
	s->next = p->from;
	shared = s;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	died = work_all(p, s);
	all = gather(s, p->jobs);
	report(p->from, s->next - 1 < p->to ? s->next - 1 : p->to, &all,
	       seconds_of(CLOCK_MONOTONIC) - start);
	if (all.broken) {
		run(all.broken, p->attempts, UINT64_MAX, p->off, false);
		printf("BROKEN %s at seed %llu: %s\n", W.fault,
		       (unsigned long long)all.broken, W.fault_text);
		shrink(all.broken, p->attempts, p->off);
	}
	if (!all.broken && !died)
		printf("0 violations\n");
	return all.broken || died;
}

static uint32_t fault_bit(const char *name)
{
	unsigned f;

	for (f = 0; f < FAULTS; f++)
		if (strcmp(name, fault_names[f]) == 0)
			return 1u << f;
	fprintf(stderr, "sim: no fault is called %s\n", name);
	exit(64);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "calls", required_argument, NULL, 'c' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "attempts", required_argument, NULL, 'a' },
		{ "off", required_argument, NULL, 'o' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct plan p = { .from = 1, .to = 1, .attempts = ATTEMPTS,
			  .jobs = 1 };
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 's' || o == 'f')
			p.from = p.to = strtoull(optarg, NULL, 10);
		else if (o == 'c')
			p.calls = strtoull(optarg, NULL, 10);
		else if (o == 't')
			p.to = strtoull(optarg, NULL, 10);
		else if (o == 'a')
			p.attempts = (unsigned)strtoul(optarg, NULL, 10);
		else if (o == 'o')
			p.off |= fault_bit(optarg);
		else if (o == 'j')
			p.jobs = (unsigned)strtoul(optarg, NULL, 10);
		else if (o == 'v')
			p.verbose = true;
		else {
			usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? 0 : 64;
		}
	}
	if (!p.from || !p.jobs || p.jobs > JOBS_MAX) {
		usage(stderr);
		return 64;
	}
	if (p.calls)
		p.to = UINT64_MAX;
	client_start();
	return execute(&p);
}
