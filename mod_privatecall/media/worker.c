/* worker.c: a relay with its sockets, clock and randomness (see worker.h). */
#include "mod_privatecall/media/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ENOUGH (8 * UDP_BATCH)     /* packets before others have their turn */
#define REPORT_MS 10000
/* Valid for 31 days, but what is new each day links no calls of two days. */
#define RENEW_MS 86400000
#define RENEW_RETRY_MS 60000

_Static_assert(RELAY_PACKET_MAX <= UDP_SIZE, "more than udp_send() takes");

int64_t worker_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

/* --- what the relay puts out ------------------------------------------ */

static void on_send(const struct addr *to, const void *bytes, size_t len,
		    void *arg)
{
	struct worker *w = arg;
	unsigned i;

	for (i = 0; i < w->sockets; i++)
		if (w->family[i] == to->family) {
			udp_send(w->udp[i], to, bytes, len);
			return;
		}
}

static void on_say(const struct wire_msg *m, void *arg)
{
	struct worker *w = arg;

	w->say_h(m, w->arg);
}

/* A system call for many steps. Without randomness nothing here is secret:
 * the kernel's never fails once it is there. */
static void on_entropy(unsigned char out[ICE_ENTROPY_SIZE], void *arg)
{
	struct worker *w = arg;
	size_t got = 0;
	ssize_t n;

	if (w->used + ICE_ENTROPY_SIZE > WORKER_ENTROPY) {
		while (got < WORKER_ENTROPY) {
			n = getrandom(w->entropy + got, WORKER_ENTROPY - got,
				      0);
			if (n < 0 && errno != EINTR)
				abort();
			got += n > 0 ? (size_t)n : 0;
		}
		w->used = 0;
	}
	memcpy(out, w->entropy + w->used, ICE_ENTROPY_SIZE);
	explicit_bzero(w->entropy + w->used, ICE_ENTROPY_SIZE);
	w->used += ICE_ENTROPY_SIZE;
}

/* --- life ------------------------------------------------------------- */

static int refuse_address(const struct addr *a, int err, char **why_r)
{
	char text[ADDR_TEXT_SIZE];

	addr_format(a, text);
	if (asprintf(why_r, "%s: %s%s", text, strerror(err),
		     err == EADDRINUSE ? ": another program has this port: "
		     "end it, or take another one: --port N" :
		     err == EADDRNOTAVAIL ? ": this host has no such address: "
		     "name one of `ip address': --address IP" :
		     err == EACCES ? ": take a port above 1023: --port N" :
		     "") < 0)
		*why_r = NULL;
	return err;
}

static int no_identity(int err, const char *why, char **why_r)
{
	if (asprintf(why_r, "no certificate can be made: %s: see that this "
		     "host's OpenSSL makes one: openssl ecparam -genkey -name "
		     "prime256v1", why ? why : strerror(err)) < 0)
		*why_r = NULL;
	return err;
}

static int make_relay(struct worker *w, struct relay_config *config,
		      const struct relay_handlers *handlers, char **why_r)
{
	const char *why = NULL;
	int err = dtls_identity_new(time(NULL), &config->identity, &why);

	if (err)
		return no_identity(err, why, why_r);
	w->renew_at = worker_now() + RENEW_MS;
	err = relay_new(config, handlers, w, &w->relay);
	dtls_identity_free(config->identity);
	config->identity = NULL;
	return err;
}

/* Calls that run keep the one they have. */
static void renew(struct worker *w, int64_t now)
{
	struct dtls_identity *identity;
	const char *why = NULL;
	int err;

	if (now < w->renew_at)
		return;
	err = dtls_identity_new(time(NULL), &identity, &why);
	w->renew_at = now + (err ? RENEW_RETRY_MS : RENEW_MS);
	if (err) {
		log_line(LOG_WARN, "no new certificate", "why", why ? why :
			 strerror(err), NULL);
		return;
	}
	relay_set_identity(w->relay, identity);
	dtls_identity_free(identity);
}

int worker_open(struct worker *w, struct relay_config *config,
		void (*say_h)(const struct wire_msg *m, void *arg), void *arg,
		char **why_r)
{
	static const struct relay_handlers handlers = {
		.send = on_send, .say = on_say, .entropy = on_entropy,
	};
	unsigned i;
	int err;

	*why_r = NULL;
	w->used = WORKER_ENTROPY;
	w->say_h = say_h;
	w->arg = arg;
	for (i = 0; i < config->locals; i++) {
		struct ice_local *l = &config->local[i];

		err = udp_open(&l->base, w->merge, &w->udp[i]);
		if (err)
			return refuse_address(&l->base, err, why_r);
		if (l->seen.family != ADDR_NONE)
			l->seen.port = l->base.port;
		w->family[i] = l->base.family;
		w->sockets++;
	}
	return make_relay(w, config, &handlers, why_r);
}

void worker_close(struct worker *w)
{
	unsigned i;

	relay_free(w->relay);
	for (i = 0; i < w->sockets; i++)
		udp_close(w->udp[i]);
	explicit_bzero(w, sizeof(*w));
}

/* --- events ----------------------------------------------------------- */

static void flush(struct worker *w)
{
	unsigned i;

	for (i = 0; i < w->sockets; i++)
		udp_flush(w->udp[i]);
}

static void on_packet(const struct addr *from, const void *bytes, size_t len,
		      void *arg)
{
	struct worker *w = arg;

	relay_packet(w->relay, w->now, from, bytes, len);
}

void worker_receive(struct worker *w, unsigned i)
{
	unsigned all = 0;

	w->more = true;
	while (all < ENOUGH && w->more) {
		w->now = worker_now();
		all += udp_receive(w->udp[i], on_packet, w, &w->more);
	}
	flush(w);
	pace_count(&w->pace, w->now, all);
}

void worker_rest(const struct worker *w)
{
	const struct timespec t = { .tv_nsec = pace_wait(&w->pace) * 1000L };

	if (t.tv_nsec && !w->more)
		nanosleep(&t, NULL);
}

void worker_control(struct worker *w, const struct wire_msg *m)
{
	relay_control(w->relay, worker_now(), m);
	flush(w);
}

int worker_wait(struct worker *w)
{
	int64_t now = worker_now(), at = relay_deadline(w->relay);

	renew(w, now);
	if (at <= now) {
		relay_time(w->relay, now);
		flush(w);
		at = relay_deadline(w->relay);
	}
	if (w->renew_at < at)
		at = w->renew_at;
	return at <= now ? 0 : at - now > INT_MAX ? INT_MAX : (int)(at - now);
}

/* --- what was dropped ------------------------------------------------- */

/* One count; its part of the line when it has grown. */
static void count_more(struct worker *w, unsigned i, const char *name,
		       uint64_t now, char *line, size_t size)
{
	size_t len = strlen(line);

	if (now > w->told[i])
		snprintf(line + len, size - len, "%s%s:%" PRIu64,
			 len ? "," : "", name, now - w->told[i]);
	w->told[i] = now;
}

/* Once: that packets cost more than they would on another system, or here in
 * part, which nobody else says. */
static void report_alone(struct worker *w)
{
	char unmerged[24];
	unsigned i;

	for (i = 0; i < w->sockets && w->merge && !w->told_alone; i++) {
		if (udp_merges(w->udp[i]) && !udp_unmerged(w->udp[i]))
			continue;
		snprintf(unmerged, sizeof(unmerged), "%" PRIu64,
			 udp_unmerged(w->udp[i]));
		log_line(LOG_INFO, "packets go one by one", "which",
			 udp_merges(w->udp[i]) ? "those too long for a path" :
			 "all, one way or both", "unmerged", unmerged,
			 NULL);
		w->told_alone = true;
	}
}

void worker_report(struct worker *w, bool at_end)
{
	int64_t now = worker_now();
	uint64_t too_long = 0, unsent = 0;
	char line[1024] = "";
	unsigned i, n = 0;

	report_alone(w);
	if (!at_end && w->reported && now < w->reported + REPORT_MS)
		return;
	for (i = 0; i < RELAY_COUNTS; i++)
		count_more(w, n++, relay_count_name(i),
			   relay_counted(w->relay, i), line, sizeof(line));
	for (i = 0; i < WIRE_DROPS; i++)
		count_more(w, n++, wire_drop_name(i),
			   relay_dropped(w->relay, i), line, sizeof(line));
	for (i = 0; i < w->sockets; i++) {
		too_long += udp_too_long(w->udp[i]);
		unsent += udp_unsent(w->udp[i]);
	}
	count_more(w, n++, "too-long", too_long, line, sizeof(line));
	count_more(w, n++, "unsent", unsent, line, sizeof(line));
	if (!*line)
		return;
	w->reported = now;
	log_line(LOG_WARN, "packets dropped", "of", line, NULL);
}
