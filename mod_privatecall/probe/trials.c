/* trials.c: all test calls: one loop over their connections and packets. */
#include "mod_privatecall/probe/trial_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define S_NS INT64_C(1000000000)
#define AT_ONCE 5                  /* calls that are on their way to media */
#define LAST_NS (S_NS / 2)         /* for the last packets, at most */
#define AUDIO_SIZE 200             /* as Opus of 50 packets a second */
#define AUDIO_RATE 50
#define VIDEO_SIZE 1200
#define VIDEO_RATE 120

/* --- where this host is ----------------------------------------------- */

/* The address that this host would send from to the world: nothing is sent.
 * False: no route. */
static bool own_address(const char *world, struct addr *a_r)
{
	struct sockaddr_storage s = { .ss_family = AF_INET };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s;
	socklen_t len = sizeof(*v4);
	struct addr to;
	bool found;
	int fd;

	if (addr_parse(world, 9, &to))
		return false;
	*a_r = to;
	if (to.family == ADDR_V6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(to.port);
		memcpy(&v6->sin6_addr, to.ip, sizeof(v6->sin6_addr));
		len = sizeof(*v6);
	} else {
		v4->sin_port = htons(to.port);
		memcpy(&v4->sin_addr, to.ip, sizeof(v4->sin_addr));
	}
	fd = socket(s.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	found = fd >= 0 && !connect(fd, (struct sockaddr *)&s, len) &&
		!getsockname(fd, (struct sockaddr *)&s, &len);
	if (fd >= 0)
		close(fd);
	if (to.family == ADDR_V6)
		memcpy(a_r->ip, &v6->sin6_addr, sizeof(v6->sin6_addr));
	else
		memcpy(a_r->ip, &v4->sin_addr, sizeof(v4->sin_addr));
	return found;
}

/* Addresses of documentation are routed as the rest of the world. */
static void open_peers(struct trials *ts)
{
	const char *at = ts->o.address;
	struct addr named = { .family = ADDR_NONE };
	unsigned i;

	if (!at && own_address("192.0.2.1", &named))
		at = "0.0.0.0";
	else if (!at && own_address("2001:db8::1", &named))
		at = "::";
	peers_open(&ts->peers, TRIAL_SIDES * ts->n, at ? at : "127.0.0.1");
	for (i = 0; !ts->o.address && at && i < ts->peers.n; i++)
		memcpy(ts->peers.list[i].addr.ip, named.ip, ADDR_IP_SIZE);
}

static void set_flows(struct trials *ts)
{
	struct peer_flow *f = ts->peers.flow;

	f[PEER_AUDIO].size = AUDIO_SIZE;
	f[PEER_AUDIO].rate = AUDIO_RATE;
	f[PEER_AUDIO].type = f[PEER_AUDIO].seen = PHONE_OPUS;
	f[PEER_VIDEO].size = VIDEO_SIZE;
	f[PEER_VIDEO].rate = ts->o.video ? VIDEO_RATE : 0;
	f[PEER_VIDEO].type = f[PEER_VIDEO].seen = PHONE_VP8;
	/* In mode room a call that is entered again goes on with the SSRCs of
	 * the one before. */
	ts->peers.other_ssrc = true;
	ts->peers.waits = true;
	peers_begin(&ts->peers);
}

/* --- the loop --------------------------------------------------------- */

static unsigned on_their_way(const struct trials *ts)
{
	unsigned i, n = 0;

	for (i = 0; i < ts->n; i++)
		n += ts->list[i].begun && !ts->list[i].over &&
		     !ts->list[i].running;
	return n;
}

static unsigned running(const struct trials *ts)
{
	unsigned i, n = 0;

	for (i = 0; i < ts->n; i++)
		n += ts->list[i].running && !ts->list[i].over;
	return n;
}

static void turn(struct trials *ts)
{
	int64_t now;
	unsigned i;

	clients_turn(ts->clients);
	peers_turn(&ts->peers);
	now = peers_now();
	for (i = 0; i < ts->n; i++)
		trial_turn(&ts->list[i], now);
}

/* From here on everything counts. */
static void count(struct trials *ts)
{
	unsigned i;

	for (i = 0; i < ts->peers.n; i++)
		peer_count(&ts->peers.list[i]);
	ts->peers.timed = true;
	ts->counting = true;
	ts->until = peers_now() + ts->o.seconds * S_NS;
	if (ts->o.running_h)
		ts->o.running_h(running(ts));
}

static bool all_came(const struct trials *ts)
{
	struct peer_sum sum;
	unsigned i;

	for (i = 0; i < ts->n; i++) {
		sum = trial_sum(&ts->list[i]);
		if (ts->list[i].running && (sum.got < sum.sent ||
					    sum.reports_got <
					    sum.reports_sent))
			return false;
	}
	return true;
}

static void bring_up(struct trials *ts)
{
	unsigned begun = 0;

	while (begun < ts->n || on_their_way(ts)) {
		if (begun < ts->n && on_their_way(ts) < AT_ONCE)
			trial_begin(&ts->list[begun++]);
		turn(ts);
	}
}

static void go_on(struct trials *ts)
{
	int64_t until;

	count(ts);
	while (running(ts) && peers_now() < ts->until)
		turn(ts);
	peers_stop(&ts->peers);
	until = peers_now() + LAST_NS;
	while (!all_came(ts) && peers_now() < until)
		turn(ts);
}

static void bring_down(struct trials *ts)
{
	int64_t until;
	unsigned i;

	for (i = 0; i < ts->n; i++)
		trial_judge(&ts->list[i]);
	for (i = 0; i < ts->n; i++)
		ts->list[i].running = false;
	while (on_their_way(ts))
		turn(ts);
	until = peers_now() + S_NS;
	while (clients_left(ts->clients) && peers_now() < until)
		turn(ts);
}

void trials_run(struct trials *ts, const struct trial_options *o,
		const struct accounts *as)
{
	unsigned i, k;

	memset(ts, 0, sizeof(*ts));
	ts->o = *o;
	ts->n = as->n / TRIAL_SIDES;
	ts->list = calloc(ts->n, sizeof(*ts->list));
	ts->clients = clients_new(&o->client);
	if (!ts->list || !ts->clients)
		peers_die("out of memory");
	open_peers(ts);
	set_flows(ts);
	for (i = 0; i < ts->n; i++) {
		ts->list[i].all = ts;
		for (k = 0; k < TRIAL_SIDES; k++) {
			ts->list[i].account[k] = &as->list[2 * i + k];
			ts->list[i].peer[k] = &ts->peers.list[2 * i + k];
		}
	}
	bring_up(ts);
	if (running(ts))
		go_on(ts);
	bring_down(ts);
}

void trials_free(struct trials *ts)
{
	unsigned i, k;

	for (i = 0; i < ts->n; i++)
		for (k = 0; k < TRIAL_SIDES; k++)
			phone_free(&ts->list[i].phone[k]);
	clients_free(ts->clients);
	peers_close(&ts->peers);
	free(ts->list);
}
