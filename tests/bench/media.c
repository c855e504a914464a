/* media.c: what a packet, a call and its memory cost privatecall-media: a real
 * process beside a relay that does the least (floor.h), under the same load
 * (probe/peer.h), in turn; doc/performance.md has the figures and how to read
 * them.
 *
 * usage: media [OPTION]...
 *   --calls N,...     of each server, 50,150
 *   --turns N         of each server, half a second long each, 10
 *   --only TEXT       servers whose name has it
 *   --load TEXT       loads whose name has it, of audio, video, burst (video,
 *                     the packets of a picture at once), uneven (and half of
 *                     them a byte longer) and merged (and they arrive as one)
 *   --burst N         packets of a picture, 4
 *   --saturated       how little a packet can cost, alone
 *   --idle N          what N calls cost that are silent, also of Janus
 *   --long S          500 calls of audio in mode `room', for that long
 *   --address IP      where all of it is, 127.0.0.1; Janus takes none of
 *                     loopback
 *   --check           a few packets of each kind, judged; no figures
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/ssl.h>
#include "tests/bench/coturn.h"
#include "tests/bench/floor.h"
#include "tests/bench/janus.h"
#include "tests/bench/ours.h"
#include "tests/bench/rtpengine.h"
#include "tests/bench/where.h"

#define S_NS INT64_C(1000000000)
#define WARM_NS (S_NS / 4)
#define TURN_NS (S_NS / 2)
#define LAST_NS (S_NS / 20)        /* for the last packets */
#define TURNS_MAX 100
#define DRAIN_US 500
#define IDLE_S 20
#define LONG_CALLS 500
#define ROUNDS 40                  /* of a saturated row */
#define EACH 4                     /* packets of a peer in a round */
#define SATURATED_CALLS 50

enum server { DIRECT, FLOOR, BLIND, ROOM, RTPENGINE, JANUS,
	      COTURN };

static const struct row {
	const char *name;
	enum server server;
	unsigned drain;
	unsigned profile;
	bool gso;
} rows[] = {
	{ "direct gcm", DIRECT, 0, SRTP_PROFILE_GCM128, false },
	{ "floor gcm", FLOOR, 0, SRTP_PROFILE_GCM128, false },
	{ "room gcm", ROOM, 0, SRTP_PROFILE_GCM128, false },
	{ "floor sha1", FLOOR, 0, SRTP_PROFILE_CM128_80, false },
	{ "room sha1", ROOM, 0, SRTP_PROFILE_CM128_80, false },
	{ "blind gcm", BLIND, 0, SRTP_PROFILE_GCM128, false },
	{ "floor gcm drain", FLOOR, DRAIN_US, SRTP_PROFILE_GCM128, false },
	{ "room gcm drain", ROOM, DRAIN_US, SRTP_PROFILE_GCM128, false },
	{ "room sha1 drain", ROOM, DRAIN_US, SRTP_PROFILE_CM128_80, false },
	{ "blind gcm drain", BLIND, DRAIN_US, SRTP_PROFILE_GCM128, false },
	{ "floor gcm gso", FLOOR, 0, SRTP_PROFILE_GCM128, true },
	{ "room gcm gso", ROOM, 0, SRTP_PROFILE_GCM128, true },
	{ "blind gcm gso", BLIND, 0, SRTP_PROFILE_GCM128, true },
	{ "floor gcm gso drain", FLOOR, DRAIN_US, SRTP_PROFILE_GCM128, true },
	{ "room gcm gso drain", ROOM, DRAIN_US, SRTP_PROFILE_GCM128, true },
	{ "blind gcm gso drain", BLIND, DRAIN_US, SRTP_PROFILE_GCM128, true },
	{ "rtpengine gcm", RTPENGINE, 0, SRTP_PROFILE_GCM128, false },
	{ "rtpengine sha1", RTPENGINE, 0, SRTP_PROFILE_CM128_80, false },
	{ "janus gcm", JANUS, 0, SRTP_PROFILE_GCM128, false },
	{ "janus sha1", JANUS, 0, SRTP_PROFILE_CM128_80, false },
	/* It has no keys: the peers' pass it by. */
	{ "coturn gcm", COTURN, 0, SRTP_PROFILE_GCM128, false },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

enum load { AUDIO, VIDEO, BURST, UNEVEN, MERGED, LOADS };

static const char *const load_names[] = { "audio", "video", "burst",
					  "uneven", "merged" };

struct options {
	unsigned calls[8], n;
	unsigned turns, idle, longest, burst;
	const char *only, *load;
	bool saturated, check;
};

struct bench {
	const struct row *row;
	struct peers peers;
	struct ours ours;
	struct rtpengine rtpengine;
	struct janus janus;
	struct coturn coturn;
	pid_t pid;                 /* 0: there is no server */
	clockid_t clock;           /* its CPU */
	int64_t setup_ns;
	long rss_before, rss;      /* KiB */
	double ns[TURNS_MAX];      /* CPU per packet, of each turn */
	unsigned turns;
};

const char *bench_ip = "127.0.0.1";

/* --- the profile of SRTP that peers offer -------------------------------- */

static const char *offered;

/* Stands in for the function of that name: those who are to use SHA1 offer
 * nothing else. */
int __real_SSL_CTX_set_tlsext_use_srtp(SSL_CTX *ctx, const char *list);
int __wrap_SSL_CTX_set_tlsext_use_srtp(SSL_CTX *ctx, const char *list);
int __wrap_SSL_CTX_set_tlsext_use_srtp(SSL_CTX *ctx, const char *list)
{
	return __real_SSL_CTX_set_tlsext_use_srtp(ctx, offered ? offered :
						  list);
}

/* --- what the server's process takes ------------------------------------ */

static int64_t cpu(const struct bench *b)
{
	struct timespec t;

	if (!b->pid || clock_gettime(b->clock, &t))
		return 0;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static long rss(const struct bench *b)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)b->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* --- a server with its calls -------------------------------------------- */

static void start_fixed(struct bench *b)
{
	struct addr to = { .family = ADDR_NONE };
	unsigned i;

	if (b->row->server == FLOOR)
		b->pid = floor_start(&b->peers, b->row->profile,
				     b->row->drain, b->row->gso, &to);
	for (i = 0; i < PEER_KINDS; i++)
		b->peers.flow[i].type = b->peers.flow[i].seen = 96 + i;
	for (i = 0; i < b->peers.n; i++) {
		struct peer *p = &b->peers.list[i];

		peer_fixed(p, b->row->profile, b->pid ? &to :
			   &p->other->addr);
	}
}

static void start_server(struct bench *b)
{
	switch (b->row->server) {
	case DIRECT:
	case FLOOR:
		start_fixed(b);
		break;
	case RTPENGINE:
		rtpengine_start(&b->rtpengine, &b->peers);
		b->pid = b->rtpengine.pid;
		break;
	case JANUS:
		janus_start(&b->janus, &b->peers);
		b->pid = b->janus.pid;
		break;
	case COTURN:
		coturn_start(&b->coturn, &b->peers);
		b->pid = b->coturn.pid;
		break;
	default:
		ours_start(&b->ours, &b->peers, b->row->server == ROOM ?
			   WIRE_ROOM : WIRE_BLIND, b->row->drain,
			   b->row->gso);
		b->pid = b->ours.pid;
		break;
	}
	if (b->pid && clock_getcpuclockid(b->pid, &b->clock))
		peers_die("the server's clock cannot be read");
}

/* False: it is not installed. */
static bool start(struct bench *b, const struct row *row, unsigned calls)
{
	int64_t before;
	unsigned i;

	memset(b, 0, sizeof(*b));
	if ((row->server == RTPENGINE && !getenv("RTPENGINE")) ||
	    (row->server == JANUS && !getenv("JANUS")) ||
	    (row->server == COTURN && !getenv("COTURN")))
		return false;
	b->row = row;
	offered = row->profile == SRTP_PROFILE_CM128_80 ?
		  "SRTP_AES128_CM_SHA1_80" : NULL;
	peers_open(&b->peers, 2 * calls, bench_ip);
	start_server(b);
	before = cpu(b);
	b->rss_before = rss(b);
	if (b->ours.pid)
		ours_connect(&b->ours);
	else if (b->rtpengine.pid)
		rtpengine_connect(&b->rtpengine);
	else if (b->janus.pid)
		janus_connect(&b->janus);
	else if (b->coturn.pid)
		coturn_connect(&b->coturn);
	b->setup_ns = cpu(b) - before;
	for (i = 0; i < b->peers.n; i++)
		if (b->peers.list[i].profile != row->profile)
			peers_die("another profile of SRTP than wanted");
	return true;
}

static void end(struct bench *b)
{
	if (b->ours.pid) {
		ours_stop(&b->ours);
	} else if (b->rtpengine.pid) {
		rtpengine_stop(&b->rtpengine);
	} else if (b->janus.pid) {
		janus_stop(&b->janus);
	} else if (b->coturn.pid) {
		coturn_stop(&b->coturn);
	} else if (b->pid) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	peers_close(&b->peers);
}

static void turn_for(struct bench *b, int64_t ns)
{
	int64_t until = peers_now() + ns;

	while (peers_now() < until)
		peers_turn(&b->peers);
}

static void set_flows(struct bench *b, enum load load, unsigned burst)
{
	struct peer_flow *video = &b->peers.flow[PEER_VIDEO];

	b->peers.flow[PEER_AUDIO].size = 200;
	b->peers.flow[PEER_AUDIO].rate = 50;
	video->size = 1200;
	video->rate = load == AUDIO ? 0 : 120;
	video->burst = load < BURST ? 1 : burst;
	video->uneven = load == UNEVEN;
	video->merged = load == MERGED;
}

/* --- the table: all servers at once, in turn under load ------------------ */

/* One server's turn; the others keep their calls alive meanwhile. What it
 * costs is counted from when it has noticed the load (worker.h). */
static void take_turn(struct bench *all, struct bench *b)
{
	int64_t before;
	uint64_t sent;
	unsigned i;

	for (i = 0; i < ROWS; i++)
		if (all[i].row && all[i].row != b->row)
			peers_turn(&all[i].peers);
	turn_for(b, LAST_NS);      /* what they have to say that is due */
	peers_send(&b->peers);
	turn_for(b, WARM_NS);
	before = cpu(b);
	sent = peers_sum(&b->peers).sent;
	b->peers.timed = true;
	turn_for(b, TURN_NS);
	b->peers.timed = false;
	b->ns[b->turns++] = (double)(cpu(b) - before) /
			    (double)(peers_sum(&b->peers).sent - sent);
	peers_stop(&b->peers);
	turn_for(b, LAST_NS);
	b->rss = rss(b);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *list, unsigned n)
{
	double copy[TURNS_MAX];

	memcpy(copy, list, n * sizeof(*list));
	qsort(copy, n, sizeof(copy[0]), by_size);
	return n % 2 ? copy[n / 2] : (copy[n / 2 - 1] + copy[n / 2]) / 2;
}

/* The floor that a row is measured against: of the same keys, as lazy, packet
 * by packet. */
static bool is_floor_of(const struct row *f, const struct row *row)
{
	return f->server == FLOOR && !f->gso && !f->drain == !row->drain &&
	       f->profile == row->profile;
}

/* The median of what it costs as times of the floor's in the same turn. */
static double times_floor(const struct bench *all, const struct bench *b)
{
	double times[TURNS_MAX];
	unsigned i, n;

	for (i = 0; i < ROWS; i++)
		if (all[i].row && is_floor_of(all[i].row, b->row))
			break;
	if (i == ROWS)
		return 0;
	for (n = 0; n < b->turns; n++)
		times[n] = b->ns[n] / all[i].ns[n];
	return median(times, b->turns);
}

static void print(const struct bench *all, const struct bench *b,
		  const char *kind, unsigned calls)
{
	struct peer_sum sum = peers_sum(&b->peers);

	printf("%-19s %-6s %5u %7.3f %5llu", b->row->name, kind, calls,
	       100.0 * (double)(sum.sent - sum.got) / (double)sum.sent,
	       (unsigned long long)sum.wrong);
	if (b->pid)
		printf(" %9.0f %6.2f", median(b->ns, b->turns),
		       times_floor(all, b));
	else
		printf(" %9s %6s", "-", "-");
	printf(" %6u %6u", peers_latency(&b->peers, 0.5),
	       peers_latency(&b->peers, 0.99));
	if (b->setup_ns)
		printf(" %8.2f %8.1f\n", (double)b->setup_ns / 1e6 / calls,
		       (double)(b->rss - b->rss_before) / calls);
	else
		printf(" %8s %8s\n", "-", "-");
	fflush(stdout);
}

static void measure(const struct options *o, unsigned calls, enum load load)
{
	static struct bench all[ROWS];
	unsigned i, n;

	memset(all, 0, sizeof(all));
	/* Those that are slow to begin do so first: nobody answers for the
	 * consent of the others meanwhile, and after 30 s ours sends no more.
	 */
	for (i = ROWS; i-- > 0;) {
		if (o->only && !strstr(rows[i].name, o->only))
			continue;
		if (start(&all[i], &rows[i], calls))
			set_flows(&all[i], load, o->burst);
	}
	for (n = 0; n < o->turns; n++)
		for (i = 0; i < ROWS; i++)
			if (all[i].row)
				take_turn(all, &all[i]);
	for (i = 0; i < ROWS; i++) {
		if (!all[i].row)
			continue;
		print(all, &all[i], load_names[load], calls);
		end(&all[i]);
	}
}

static void table(const struct options *o)
{
	unsigned c, load;

	printf("%-19s %-6s %5s %7s %5s %9s %6s %6s %6s %8s %8s\n", "server",
	       "kind", "calls", "loss%", "wrong", "ns/packet", "xfloor",
	       "p50us", "p99us", "setup ms", "KiB/call");
	for (c = 0; c < o->n; c++)
		for (load = 0; load < LOADS; load++)
			if (!o->load || strstr(load_names[load], o->load))
				measure(o, o->calls[c], load);
}

/* --- as little as a packet can cost -------------------------------------- */

/* The server stands still until its socket is full of packets. */
static void round_of(struct bench *b, enum peer_kind kind)
{
	int64_t until;
	struct peer_sum sum;

	if (kill(b->pid, SIGSTOP) ||
	    waitpid(b->pid, NULL, WUNTRACED) != b->pid)
		peers_die("the server cannot be stopped");
	peers_burst(&b->peers, kind, EACH);
	kill(b->pid, SIGCONT);
	until = peers_now() + 10 * S_NS;
	do {
		peers_turn(&b->peers);
		sum = peers_sum(&b->peers);
	} while (sum.got < sum.sent && peers_now() < until);
	if (sum.got < sum.sent || sum.wrong)
		peers_die("packets were lost");
}

static void saturate(struct bench *all, enum peer_kind kind)
{
	int64_t before;
	unsigned n, i;

	for (n = 0; n < ROUNDS; n++)
		for (i = 0; i < ROWS; i++) {
			struct bench *b = &all[i];

			if (!b->row)
				continue;
			turn_for(b, S_NS / 100);
			before = cpu(b);
			round_of(b, kind);
			/* What it took is known when it sleeps. */
			turn_for(b, S_NS / 100);
			b->ns[n] = (double)(cpu(b) - before) /
				   (EACH * b->peers.n);
			b->turns = n + 1;
		}
}

static void saturated(const struct options *o)
{
	static const struct {
		const char *name;
		enum peer_kind kind;
		enum load load;
	} sorts[] = {
		{ "200 B", PEER_AUDIO, VIDEO }, { "1200 B", PEER_VIDEO, VIDEO },
		{ "burst", PEER_VIDEO, BURST }, { "merged", PEER_VIDEO, MERGED }
	};
	static struct bench all[ROWS];
	unsigned k, i;

	printf("ns of CPU per packet, %d waiting, the median of %d "
	       "rounds in turn (times the floor)\n",
	       EACH * 2 * SATURATED_CALLS, ROUNDS);
	for (i = 0; i < ROWS; i++) {
		if (rows[i].server == DIRECT || rows[i].drain ||
		    rows[i].server > ROOM ||
		    (o->only && !strstr(rows[i].name, o->only)))
			continue;
		start(&all[i], &rows[i], SATURATED_CALLS);
	}
	for (k = 0; k < sizeof(sorts) / sizeof(sorts[0]); k++) {
		if (o->load && !strstr(load_names[sorts[k].load], o->load))
			continue;
		for (i = 0; i < ROWS; i++)
			if (all[i].row)
				set_flows(&all[i], sorts[k].load, EACH);
		saturate(all, sorts[k].kind);
		for (i = 0; i < ROWS; i++)
			if (all[i].row)
				printf("%-19s %6s %6.0f (%.2f)\n",
				       rows[i].name, sorts[k].name,
				       median(all[i].ns, all[i].turns),
				       times_floor(all, &all[i]));
		fflush(stdout);
	}
	for (i = 0; i < ROWS; i++)
		if (all[i].row)
			end(&all[i]);
}

/* --- silent calls, many calls -------------------------------------------- */

/* Ours and Janus, if it is there, beside each other. */
static void idle(const struct options *o)
{
	static const struct row silent[] = {
		{ "janus gcm", JANUS, 0, SRTP_PROFILE_GCM128, false },
		{ "room gcm", ROOM, 0, SRTP_PROFILE_GCM128, false },
	};
	enum { N = sizeof(silent) / sizeof(silent[0]) };
	static struct bench b[N];
	int64_t before[N], began = 0, until = 0;
	unsigned i, n, phase;

	/* Who begins slowly first: the calls of the others would be lost. */
	for (i = n = 0; i < N; i++)
		n += start(&b[n], &silent[i], o->idle);
	for (phase = 0; phase < 2; phase++) {
		for (i = 0; i < n; i++)
			before[i] = cpu(&b[i]);
		began = peers_now();
		until = began + (phase ? IDLE_S : 5) * S_NS;
		while (peers_now() < until)
			for (i = 0; i < n; i++)
				peers_turn(&b[i].peers);
	}
	for (i = 0; i < n; i++) {
		printf("%s: %u silent calls: %.2f %% of a core, %.1f KiB a "
		       "call\n", b[i].row->name, o->idle, 100.0 *
		       (double)(cpu(&b[i]) - before[i]) /
		       (double)(peers_now() - began),
		       (double)(rss(&b[i]) - b[i].rss_before) / o->idle);
		end(&b[i]);
	}
}

static void long_run(const struct options *o)
{
	static const struct row room = { "room gcm", ROOM, 0,
					 SRTP_PROFILE_GCM128, false };
	static struct bench b;
	struct peer_sum sum;
	unsigned s;

	start(&b, &room, LONG_CALLS);
	set_flows(&b, AUDIO, 1);
	peers_send(&b.peers);
	for (s = 10; s <= o->longest; s += 10) {
		turn_for(&b, 10 * S_NS);
		sum = peers_sum(&b.peers);
		printf("%4u s: sent %llu, got %llu, wrong %llu, RSS %ld KiB, "
		       "CPU %.1f s\n", s, (unsigned long long)sum.sent,
		       (unsigned long long)sum.got,
		       (unsigned long long)sum.wrong, rss(&b),
		       (double)cpu(&b) / 1e9);
		fflush(stdout);
	}
	peers_stop(&b.peers);
	turn_for(&b, LAST_NS);
	sum = peers_sum(&b.peers);
	printf("%u calls: lost %llu of %llu (%.4f %%), wrong %llu, lost legs "
	       "%u\n", LONG_CALLS,
	       (unsigned long long)(sum.sent - sum.got),
	       (unsigned long long)sum.sent,
	       100.0 * (double)(sum.sent - sum.got) / (double)sum.sent,
	       (unsigned long long)sum.wrong, b.ours.steps[WIRE_LOST]);
	end(&b);
}

/* --- the short form ------------------------------------------------------ */

#define CHECK_CALLS 3
#define CHECK_PACKETS 40           /* of a peer and kind */

static const char *check_row(struct bench *b, const struct row *row)
{
	const uint64_t all = 2 * CHECK_CALLS * 2 * CHECK_PACKETS;
	int64_t until = peers_now() + 20 * S_NS;
	const struct wire_closed *sum = &b->ours.sum;
	uint64_t in, handshake = row->server == BLIND ? 1 : 0;
	struct peer_sum got;
	unsigned i;

	for (i = 0; i < PEER_KINDS; i++) {
		b->peers.flow[i].rate = 500;
		b->peers.flow[i].most = CHECK_PACKETS;
	}
	peers_send(&b->peers);
	do {
		peers_turn(&b->peers);
		got = peers_sum(&b->peers);
	} while (got.got < all && !got.wrong && peers_now() < until);
	ours_hang_up(&b->ours);
	in = sum->side[0].in_packets + sum->side[1].in_packets;
	for (i = 0; i < WIRE_DROPS; i++)
		if (sum->dropped[i])
			return wire_drop_name(i);
	return got.wrong ? "a packet was not as it was sent" :
	       got.sent != all || got.got != all ? "packets are missing" :
	       b->ours.steps[WIRE_MEDIA] != b->peers.n ?
	       "a leg without media" :
	       in < all + handshake ? "media counts less" : NULL;
}

static int check(void)
{
	static struct bench b;
	unsigned i, n = 0, failed = 0;

	for (i = 0; i < ROWS; i++) {
		const char *why;

		if (rows[i].server != BLIND && rows[i].server != ROOM)
			continue;
		start(&b, &rows[i], CHECK_CALLS);
		set_flows(&b, VIDEO, 1);
		why = check_row(&b, &rows[i]);
		end(&b);
		printf("%sok %u - %s: each packet comes as it was sent\n",
		       why ? "not " : "", ++n, rows[i].name);
		if (why)
			printf("# %s\n", why);
		failed += why != NULL;
		fflush(stdout);
	}
	printf("1..%u\n", n);
	return failed ? 1 : 0;
}

/* --- options ------------------------------------------------------------ */

static void read_calls(struct options *o, char *text)
{
	char *at, *save = NULL;

	o->n = 0;
	for (at = strtok_r(text, ",", &save); at && o->n < 8;
	     at = strtok_r(NULL, ",", &save))
		o->calls[o->n++] = (unsigned)atoi(at);
}

static bool take_option(struct options *o, int c, char *text)
{
	if (c == 'c')
		read_calls(o, text);
	else if (c == 't')
		o->turns = (unsigned)atoi(text);
	else if (c == 'a')
		bench_ip = text;
	else if (c == 'o')
		o->only = text;
	else if (c == 'd')
		o->load = text;
	else if (c == 'b')
		o->burst = (unsigned)atoi(text);
	else if (c == 'f')
		o->saturated = true;
	else if (c == 'i')
		o->idle = (unsigned)atoi(text);
	else if (c == 'l')
		o->longest = (unsigned)atoi(text);
	else if (c == 'k')
		o->check = true;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "turns", required_argument, NULL, 't' },
		{ "only", required_argument, NULL, 'o' },
		{ "load", required_argument, NULL, 'd' },
		{ "burst", required_argument, NULL, 'b' },
		{ "saturated", no_argument, NULL, 'f' },
		{ "idle", required_argument, NULL, 'i' },
		{ "long", required_argument, NULL, 'l' },
		{ "address", required_argument, NULL, 'a' },
		{ "check", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .calls = { 50, 150 }, .n = 2, .turns = 10,
			     .burst = 4 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take_option(&o, c, optarg))
			return 2;
	if (o.turns < 1 || o.turns > TURNS_MAX || o.burst < 1 ||
	    o.burst > PEER_BURST_MAX)
		return 2;
	if (o.check)
		return check();
	if (o.saturated)
		saturated(&o);
	else if (o.idle)
		idle(&o);
	else if (o.longest)
		long_run(&o);
	else
		table(&o);
	return 0;
}
