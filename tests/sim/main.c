/* main.c: runs seeds, adds up what was met, and makes a small dialogue of the
 * first fault (see sim.h).
 */
#include <getopt.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "tests/sim/sim.h"

#define ATTEMPTS 40                /* in one world */

static struct counts sum;
static uint64_t hash = 14695981039346656037u;

static void usage(FILE *out)
{
	fputs("Usage: sim [--seed N] [--calls N] [--from A --to B]\n"
	      "           [--attempts N] [--off FAULT]... [--verbose]\n"
	      "  --seed N      the first seed; alone: only this one\n"
	      "  --calls N     seeds until so many calls had a verdict\n"
	      "  --from A --to B  these seeds\n"
	      "  --attempts N  calls of one seed (40)\n"
	      "  --off FAULT   without this fault\n"
	      "  --verbose     the whole dialogue\n"
	      "Exit status: 1: an invariant is broken, its shortest dialogue "
	      "was printed.\n", out);
}

static void add(void)
{
	const uint64_t *from = (const uint64_t *)&W.count;
	uint64_t *to = (uint64_t *)&sum;
	size_t i;

	for (i = 0; i < sizeof(sum) / sizeof(*to); i++)
		to[i] += from[i];
	hash = (hash ^ W.hash) * 1099511628211u;
}

static void run(uint64_t seed, unsigned attempts, uint64_t stop_at,
		uint32_t off, bool verbose)
{
	struct event *heap = W.heap;
	char **outs = W.outs;
	size_t heap_cap = W.heap_cap, outs_cap = W.outs_cap;

	memset(&W, 0, sizeof(W));
	W.heap = heap;
	W.heap_cap = heap_cap;
	W.outs = outs;
	W.outs_cap = outs_cap;
	W.seed = seed;
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

static void report(uint64_t from, uint64_t to, double seconds)
{
	unsigned i;

	printf("seeds %llu to %llu: %llu calls in %.1f s (%.0f/s), "
	       "%llu events, %llu stanzas in, %llu out, %llu commits\n",
	       (unsigned long long)from, (unsigned long long)to,
	       (unsigned long long)sum.calls, seconds,
	       (double)sum.calls / (seconds > 0 ? seconds : 1),
	       (unsigned long long)sum.events, (unsigned long long)sum.in,
	       (unsigned long long)sum.out, (unsigned long long)sum.commits);
	printf("rings %llu, notices sent %llu, crashes %llu, link cuts %llu, "
	       "attacker's stanzas %llu\nended:",
	       (unsigned long long)sum.rings, (unsigned long long)sum.notices,
	       (unsigned long long)sum.crashes, (unsigned long long)sum.cuts,
	       (unsigned long long)sum.attacks);
	for (i = 0; i <= CAUSES; i++)
		if (sum.results[i])
			printf(" %s %llu", i < CAUSES ?
			       cause_row((enum cause)i)->name : "answered",
			       (unsigned long long)sum.results[i]);
	printf("\nfaults:");
	for (i = 0; i < FAULTS; i++)
		printf(" %s %llu", fault_names[i],
		       (unsigned long long)sum.faults[i]);
	printf("\nhash %016llx\n", (unsigned long long)hash);
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct plan {
	uint64_t from, to, calls;
	unsigned attempts;
	uint32_t off;
	bool verbose;
};

static int execute(const struct plan *p)
{
	double start = seconds_now();
	uint64_t seed;

	for (seed = p->from; seed <= p->to; seed++) {
		run(seed, p->attempts, UINT64_MAX, p->off, p->verbose);
		W.count.events = W.events_n;
		add();
		if (W.failed) {
			report(p->from, seed, seconds_now() - start);
			printf("BROKEN %s at seed %llu: %s\n", W.fault,
			       (unsigned long long)seed, W.fault_text);
			shrink(seed, p->attempts, p->off);
			return 1;
		}
		if (p->calls && sum.calls >= p->calls)
			break;
	}
	report(p->from, seed <= p->to ? seed : p->to, seconds_now() - start);
	printf("0 violations\n");
	return 0;
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
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct plan p = { .from = 1, .to = 1, .attempts = ATTEMPTS };
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
		else if (o == 'v')
			p.verbose = true;
		else {
			usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? 0 : 64;
		}
	}
	if (p.calls)
		p.to = UINT64_MAX;
	/* The daemon's own log is no part of it. */
	if (!freopen("/dev/null", "w", stderr))
		return 70;
	client_start();
	return execute(&p);
}
