/* signalling.c: what a whole video-sized call costs the daemon, beside what
 * expat alone takes to read the same bytes; doc/performance.md has the method.
 *
 * The daemon is a process of its own, complete and as in production: stream,
 * parser, machines, writer, SQLite with its thread. Its CPU time is read from
 * the system, all threads and the kernel's work for it included.
 */
#include <getopt.h>
#include "tests/bench/clients.h"
#include "tests/bench/process.h"

int daemon_main(int argc, char **argv);

#define WINDOW_H (2 * 3600 * 1000LL + 60000)   /* all calls are forgotten */
#define REPEAT_MAX 99

struct options {
	unsigned calls, repeat, least, most, memory, room;
	unsigned long soak;
	bool check;
	const char *where, *log, *top, *callgrind;
};

struct bench {
	struct options o;
	struct process p;
	struct clients c;
};

/* --- figures ------------------------------------------------------------ */

struct figures {
	double cpu[REPEAT_MAX], ratio[REPEAT_MAX], wall[REPEAT_MAX],
	       expat[REPEAT_MAX];
	double bytes, commits;          /* per call, of the last one */
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void measure(struct bench *b, unsigned calls, unsigned window,
		    struct figures *f, unsigned i)
{
	struct clients *c = &b->c;
	json_t *before = process_settle(&b->p, c, 0), *after;
	double cpu = seconds(b->p.clock), wall = seconds(CLOCK_MONOTONIC);
	double expat = c->expat_s;
	size_t sent = c->sent;

	clients_run(c, calls, window, false);
	f->wall[i] = (seconds(CLOCK_MONOTONIC) - wall) / calls;
	process_rest(&b->p, c);
	cpu = (seconds(b->p.clock) - cpu) / calls;
	after = process_count(&b->p, 0);
	f->bytes = (double)(c->sent - sent) / calls;
	f->expat[i] = (c->expat_s - expat) / calls;
	f->cpu[i] = cpu;
	f->ratio[i] = cpu / f->expat[i];
	f->commits = (double)(value(after, "commits") -
			      value(before, "commits")) / calls;
	json_decref(before);
	json_decref(after);
	json_decref(process_settle(&b->p, c, WINDOW_H));
}

static void level(struct bench *b, unsigned window)
{
	unsigned calls = b->o.calls > window ? b->o.calls : window, i;
	unsigned n = b->o.repeat;
	struct figures f;
	double cpu, ratio;

	for (i = 0; i < n; i++)
		measure(b, calls, window, &f, i);
	cpu = middle(f.cpu, n) * 1e6;
	ratio = middle(f.ratio, n);
	printf("%8u %6u %6.0f %6.0f-%-6.0f %7.0f %6.2f %5.2f-%-5.2f %6.0f "
	       "%6.1f %7.2f\n", window, calls, cpu, f.cpu[0] * 1e6,
	       f.cpu[n - 1] * 1e6, middle(f.expat, n) * 1e6, ratio, f.ratio[0],
	       f.ratio[n - 1], 1 / middle(f.wall, n), f.bytes / 1000,
	       f.commits);
	fflush(stdout);
}

/* --- memory of a call --------------------------------------------------- */

/* Bytes of heap per call that is up: between n of them and 2 n. */
static double memory(struct bench *b, unsigned n)
{
	struct clients *c = &b->c;
	long long at[3], open;
	json_t *data;
	unsigned i;

	for (i = 1; i < 3; i++) {
		clients_run(c, n, n < 100 ? n : 100, true);
		data = process_settle(&b->p, c, 0);
		at[i] = value(data, "heap");
		json_decref(data);
	}
	clients_hang_up(c);
	data = process_settle(&b->p, c, 0);
	open = value(data, "heap");
	json_decref(data);
	data = process_settle(&b->p, c, WINDOW_H);
	at[0] = value(data, "heap");
	printf("memory: %.0f bytes per call that is up (%u and %u of them), "
	       "%.0f per call that can be re-entered\n",
	       (double)(at[2] - at[1]) / n, n, 2 * n,
	       (double)(open - at[0]) / (2 * n));
	json_decref(data);
	return (double)(at[2] - at[1]) / n;
}

/* --- many calls in a row ------------------------------------------------ */

static void show_base(const char *when, const json_t *d)
{
	printf("%s: rss %lld KiB, heap %lld KiB, SQLite %lld KiB, files %lld,"
	       " timers %lld, calls %lld, ids %lld, users in calls %lld, "
	       "iqs %lld, held %lld\n", when, value(d, "rss") / 1024,
	       value(d, "heap") / 1024, value(d, "sqlite") / 1024,
	       value(d, "files"), value(d, "timers"), value(d, "by_pair"),
	       value(d, "by_id"), value(d, "by_user"), value(d, "iqs"),
	       value(d, "held"));
}

/* Least squares: how y grows with x. */
static double slope(const double *x, const double *y, unsigned n)
{
	double mx = 0, my = 0, up = 0, down = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		mx += x[i] / n;
		my += y[i] / n;
	}
	for (i = 0; i < n; i++) {
		up += (x[i] - mx) * (y[i] - my);
		down += (x[i] - mx) * (x[i] - mx);
	}
	return down > 0 ? up / down : 0;
}

static bool same(const json_t *a, const json_t *b)
{
	static const char *const names[] = {
		"files", "timers", "by_pair", "by_id", "by_user", "iqs",
		"held", "live",
	};
	bool all = true;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		all = all && value(a, names[i]) == value(b, names[i]);
	return all;
}

/* What is there now, as soon as it is as it was; else what it stays at. */
static json_t *back_to(struct bench *b, const json_t *base)
{
	json_t *data = process_settle(&b->p, &b->c, WINDOW_H);
	int tries;

	for (tries = 0; tries < 500 && !same(base, data); tries++) {
		json_decref(data);
		turn_for(&b->c, 5);
		data = process_count(&b->p, 0);
	}
	return data;
}

/* The same to begin with: nothing that was asked waits for its answer. */
static json_t *at_rest(struct bench *b)
{
	json_t *data = process_settle(&b->p, &b->c, WINDOW_H);
	int tries;

	for (tries = 0; tries < 500 && value(data, "iqs"); tries++) {
		json_decref(data);
		turn_for(&b->c, 5);
		data = process_count(&b->p, 0);
	}
	return data;
}

/* `total` calls, each forgotten in the end. Memory is read when none is left;
 * the first fifth of the readings is warm-up. True: all back to base. */
static bool soak(struct bench *b, unsigned long total)
{
	unsigned per = b->c.pairs, turns = (unsigned)(total / per), i;
	unsigned from = turns / 5;
	double *calls = calloc(turns, sizeof(*calls));
	double *rss = calloc(turns, sizeof(*rss));
	double *heap = calloc(turns, sizeof(*heap));
	json_t *first, *last = NULL;
	double cpu, wall;
	bool ok;

	clients_run(&b->c, per, 100, false);
	first = process_settle(&b->p, &b->c, WINDOW_H);
	cpu = seconds(b->p.clock);
	wall = seconds(CLOCK_MONOTONIC);
	show_base("before", first);
	for (i = 0; i < turns; i++) {
		json_decref(last);
		clients_run(&b->c, per, 100, false);
		last = back_to(b, first);
		calls[i] = (double)(i + 1) * per;
		rss[i] = (double)value(last, "rss");
		heap[i] = (double)value(last, "heap");
		if (i == from)
			show_base("warm", last);
	}
	show_base("after", last);
	ok = same(first, last);
	printf("%u calls in %.0f s, %.0f us of CPU each; slope of rss %.3f, "
	       "of heap %.3f bytes per call; back to base: %s\n",
	       turns * per, seconds(CLOCK_MONOTONIC) - wall,
	       (seconds(b->p.clock) - cpu) * 1e6 / ((double)turns * per),
	       slope(calls + from, rss + from, turns - from),
	       slope(calls + from, heap + from, turns - from),
	       ok ? "yes" : "NO");
	json_decref(first);
	json_decref(last);
	free(calls);
	free(rss);
	free(heap);
	return ok;
}

/* --- the short form, of ./check ----------------------------------------- */

static unsigned tests, failures;

static void check(bool ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tests, what);
	failures += !ok;
}

/* Every stanza of every call came through exactly once. */
static void check_seen(const struct clients *c, unsigned n)
{
	const struct seen *s = &c->seen;

	check(s->proposes == n && s->ringings == n && s->proceeds == n,
	      "each call rings once and is answered once");
	check(s->initiates == n && s->accepts == n,
	      "each call has one offer and one answer");
	check(s->trickles == 2 * TRICKLE * n && s->infos == 2 * n,
	      "all candidates and infos are relayed, once");
	check(s->terminates == n && s->finishes == n &&
	      s->late == n,
	      "each call ends once, on both sides");
	check(s->notices == 2 * n, "both get the details, once");
	check(s->results == c->asked && !s->errors && !s->odd,
	      "each iq is answered, once, and without an error");
	check(s->features == 1, "features are asked for once, not of each");
}

/* A13: what a flood of refused calls leaves is bounded, and counted. */
static void check_flood(struct bench *b)
{
	json_t *data = process_count(&b->p, 0);
	long long most = value(data, "done_max"), heap = value(data, "heap");
	long long more = 2000;

	json_decref(data);
	clients_flood(&b->c, (unsigned)(most + more),
		      (unsigned)(most + more) - PER_MINUTE);
	/* Those within the limit are refused after the fixed delay. */
	data = process_settle(&b->p, &b->c, 0);
	heap = value(data, "heap") - heap;
	printf("# %lld bytes for each of %lld that linger\n", heap / most,
	       value(data, "by_pair"));
	check(value(data, "by_pair") == most &&
	      value(data, "timers") == most &&
	      value(data, "cut_short") == more,
	      "of a flood no more than the most linger");
	check(heap < most * 3072, "... and take little memory");
	json_decref(data);
}

static void short_form(struct bench *b)
{
	long long grown, most = (long long)b->c.pairs * 256;
	unsigned runs = 1;
	json_t *before = NULL, *after;
	double each;

	/* Caches and pools fill first; on a machine that is busy with other
	 * work not all of them do so in the first run. What calls leave behind
	 * grows with each. */
	clients_run(&b->c, b->c.pairs, 16, false);
	after = at_rest(b);
	do {
		json_decref(before);
		before = after;
		clients_run(&b->c, b->c.pairs, 16, false);
		after = back_to(b, before);
		grown = value(after, "heap") - value(before, "heap");
		runs++;
	} while (grown >= most && runs < 4);
	check(same(before, after) && !value(after, "by_pair"),
	      "descriptors, timers and tables are back to base");
	check(grown < most, "nothing of a call stays behind");
	show_base("# before", before);
	show_base("# after", after);
	check(value(after, "attempts") == runs * b->c.pairs &&
	      value(after, "answered") == runs * b->c.pairs &&
	      !value(after, "ignored") && !value(after, "degraded"),
	      "the daemon counts what was called and ignored nothing");
	json_decref(before);
	json_decref(after);
	each = memory(b, b->c.pairs / 2);
	check(each > 256 && each <= 8192, "a call costs at most 8 KiB");
	check_seen(&b->c, (runs + 1) * b->c.pairs);
	check_flood(b);
	printf("1..%u\n", tests);
}

/* --- */

/* In mode `room` both descriptions are kept, a browser's. */
static void room_form(struct bench *b)
{
	double each = memory(b, b->o.room);

	if (b->o.check) {
		check(each > 256 && each <= 16384,
		      "a call in mode room costs at most 16 KiB");
		printf("1..%u\n", tests);
	}
}

static void long_form(struct bench *b)
{
	unsigned window;

	printf("CPU of the daemon per call, beside expat alone\n"
	       "at once   calls     us    min-max     expat  ratio   min-max  "
	       "calls/s  kB in commits\n");
	measure(b, b->o.calls < b->c.pairs ? b->o.calls : b->c.pairs, 100,
		&(struct figures){ .bytes = 0 }, 0);   /* warm-up */
	for (window = b->o.least; window <= b->o.most; window *= 10)
		level(b, window);
	memory(b, b->o.memory);
}

static int usage(void)
{
	fputs("Usage: signalling [OPTION]...\n"
	      "  --check      counts and memory only, as TAP; no times\n"
	      "  --calls N    at least N calls per measurement (2000)\n"
	      "  --repeat N   measurements of each kind (3)\n"
	      "  --least N    fewest calls at once, each level ten times "
	      "the last (10)\n"
	      "  --most N     most calls at once (10000)\n"
	      "  --memory N   memory between N and 2 N calls (1000)\n"
	      "  --room N     that memory in mode `room', and nothing else\n"
	      "  --soak N     N calls in a row and nothing else\n"
	      "  --dir DIR    where the database is made (/tmp)\n"
	      "  --log FILE   the daemon's log (/dev/null)\n"
	      "  --callgrind FILE  the daemon runs under valgrind, which "
	      "counts into FILE\n", stderr);
	return 64;
}

static int take_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "calls", required_argument, NULL, 'n' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "least", required_argument, NULL, 'f' },
		{ "most", required_argument, NULL, 'm' },
		{ "memory", required_argument, NULL, 'y' },
		{ "room", required_argument, NULL, 'o' },
		{ "soak", required_argument, NULL, 's' },
		{ "dir", required_argument, NULL, 'd' },
		{ "log", required_argument, NULL, 'l' },
		{ "callgrind", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long n;
	int k;

	while ((k = getopt_long(argc, argv, "", options, NULL)) != -1) {
		n = optarg ? strtoul(optarg, NULL, 10) : 0;
		switch (k) {
		case 'c': o->check = true; break;
		case 'n': o->calls = (unsigned)n; break;
		case 'r': o->repeat = (unsigned)n; break;
		case 'f': o->least = (unsigned)n; break;
		case 'm': o->most = (unsigned)n; break;
		case 'y': o->memory = (unsigned)n; break;
		case 'o': o->room = (unsigned)n; break;
		case 's': o->soak = n; break;
		case 'd': o->where = optarg; break;
		case 'l': o->log = optarg; break;
		case 'g': o->callgrind = optarg; break;
		default: return usage();
		}
		if (optarg && k != 'd' && k != 'l' && k != 'g' && !n)
			return usage();
	}
	return o->repeat > REPEAT_MAX || optind < argc ? usage() : 0;
}

static unsigned pairs_for(const struct options *o)
{
	unsigned n = o->calls > o->most ? o->calls : o->most;

	if (o->room)
		return 2 * o->room;
	if (o->check)
		return 512;
	if (o->soak)
		return 1000;
	return n > 2 * o->memory ? n : 2 * o->memory;
}

int main(int argc, char **argv)
{
	static struct bench b = { .o = { .calls = 2000, .repeat = 3,
		.least = 10, .most = 10000, .memory = 1000, .where = "/tmp",
		.log = "/dev/null" } };
	bool ok = true;
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "--config") == 0)
		return daemon_main(argc, argv);
	if (take_options(&b.o, argc, argv))
		return 64;
	b.o.top = getenv("top_srcdir") ? getenv("top_srcdir") : "..";
	fd = process_start(&b.p, b.o.where, b.o.log, b.o.callgrind,
			   2 * b.o.room);
	clients_open(&b.c, fd, pairs_for(&b.o), b.o.top);
	if (b.o.room) {
		b.c.trickles = 0;
		process_await_media(&b.p);
	}
	clients_appear(&b.c);
	if (!b.o.check && !b.o.soak && !b.o.room)
		reference_start(&b.c);
	if (b.o.room)
		room_form(&b);
	else if (b.o.check)
		short_form(&b);
	else if (b.o.soak)
		ok = soak(&b, b.o.soak);
	else
		long_form(&b);
	process_stop(&b.p, &b.c);
	clients_close(&b.c);
	return ok && !failures ? 0 : 1;
}
