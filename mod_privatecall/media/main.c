/* main.c: privatecall-media: options, signals, the loop, the log. */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>
#include "config.h"
#include "mod_privatecall/log/log.h"
#include "mod_privatecall/media/control.h"
#include "mod_privatecall/media/local.h"
#include "mod_privatecall/media/worker.h"

#define PORT 10000
#define CALLS 1000
#define EVENTS 16

struct options {
	struct local_options local;
	const char *socket;
	unsigned most_calls;
	unsigned drain;            /* us, see pace.h */
	bool merge;                /* see udp.h */
	enum srtp_backend srtp;
	struct addr_rules rules;
};

struct media {
	struct worker worker;
	struct control *control;
	int epoll, signals;
	bool draining, end;
	struct log_rate refusals;
};

/* --- the log: a line for each stage of a call ------------------------- */

/* "name:5", after a comma if it is not the first; 0 is left out. */
static void add_count(char *line, size_t size, const char *name, uint64_t n)
{
	size_t len = strlen(line);

	if (n)
		snprintf(line + len, size - len, "%s%s:%" PRIu64,
			 len ? "," : "", name, n);
}

static void log_closed(const struct wire_msg *m)
{
	char side[WIRE_SIDES][96], dropped[256] = "", rewritten[512] = "";
	unsigned i;

	for (i = 0; i < WIRE_SIDES; i++)
		snprintf(side[i], sizeof(side[i]), "in:%" PRIu64 ",%" PRIu64
			 ",out:%" PRIu64 ",%" PRIu64,
			 m->closed.side[i].in_packets,
			 m->closed.side[i].in_bytes,
			 m->closed.side[i].out_packets,
			 m->closed.side[i].out_bytes);
	for (i = 0; i < WIRE_DROPS; i++)
		add_count(dropped, sizeof(dropped), wire_drop_name(i),
			  m->closed.dropped[i]);
	for (i = 0; i < REWRITE_COUNTS; i++)
		add_count(rewritten, sizeof(rewritten), rewrite_count_name(i),
			  m->closed.rewritten[i]);
	log_line(LOG_INFO, "call closed", "call", m->call, "caller", side[0],
		 "callee", side[1], "dropped", *dropped ? dropped : NULL,
		 "rewritten", *rewritten ? rewritten : NULL, NULL);
}

static void log_said(struct media *d, const struct wire_msg *m)
{
	char number[4];

	snprintf(number, sizeof(number), "%u", m->transport);
	if (m->kind == WIRE_STEP)
		log_line(LOG_INFO, "leg", "call", m->call, "transport",
			 number, "side", wire_side_name(m->side), "step",
			 wire_step_name(m->said.step), NULL);
	else if (m->kind == WIRE_TROUBLE)
		log_line(LOG_WARN, "leg", "call", m->call, "transport",
			 number, "side", wire_side_name(m->side), "dtls",
			 m->trouble.text, NULL);
	else if (m->kind == WIRE_CREDENTIALS)
		log_line(LOG_INFO, "leg", "call", m->call, "transport",
			 number, "side", wire_side_name(m->side), "step",
			 "restarted", NULL);
	else if (m->kind == WIRE_READY)
		log_line(LOG_INFO, "transport open", "call", m->call,
			 "transport", number, NULL);
	else if (m->kind == WIRE_CLOSED)
		log_closed(m);
	else if (m->kind == WIRE_REFUSED &&
		 log_allowed(&d->refusals, worker_now()))
		log_line(LOG_WARN, "transport refused", "call", m->call,
			 "why", wire_why_name(m->refused.why), NULL);
}

static void on_say(const struct wire_msg *m, void *arg)
{
	struct media *d = arg;

	log_said(d, m);
	control_say(d->control, m);
}

static void on_message(const struct wire_msg *m, void *arg)
{
	struct media *d = arg;

	worker_control(&d->worker, m);
}

/* --- the loop --------------------------------------------------------- */

/* The first one lets the calls end, the second one ends them. */
static void on_signal(struct media *d)
{
	struct signalfd_siginfo info;
	char calls[16];

	if (read(d->signals, &info, sizeof(info)) != sizeof(info))
		return;
	d->end = d->draining;
	d->draining = true;
	relay_drain(d->worker.relay);
	snprintf(calls, sizeof(calls), "%u", relay_calls(d->worker.relay));
	log_line(LOG_INFO, d->end ? "stopping" : "draining", "calls", calls,
		 NULL);
}

static void on_event(struct media *d, int fd)
{
	unsigned i;

	for (i = 0; i < d->worker.sockets; i++)
		if (fd == udp_fd(d->worker.udp[i])) {
			worker_receive(&d->worker, i);
			return;
		}
	if (fd == d->signals)
		on_signal(d);
	else
		control_ready(d->control, fd);
}

static void loop(struct media *d)
{
	struct epoll_event event[EVENTS];
	int i, n;

	while (!d->end) {
		worker_report(&d->worker, false);
		n = epoll_wait(d->epoll, event, EVENTS,
			       worker_wait(&d->worker));
		for (i = 0; i < n; i++)
			on_event(d, event[i].data.fd);
		worker_rest(&d->worker);
		if (d->draining && !relay_calls(d->worker.relay))
			d->end = true;
	}
}

/* --- start ------------------------------------------------------------ */

static int watch(struct media *d, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &ev) ? errno : 0;
}

static int watch_all(struct media *d)
{
	sigset_t set;
	unsigned i;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signals < 0)
		return errno;
	err = watch(d, d->signals);
	for (i = 0; i < d->worker.sockets && !err; i++)
		err = watch(d, udp_fd(d->worker.udp[i]));
	return err;
}

static void log_rules(const struct addr_rules *rules)
{
	char range[ADDR_TEXT_SIZE];
	unsigned i;

	for (i = 0; i < rules->n; i++) {
		addr_range_format(&rules->rule[i].range, range);
		log_line(LOG_INFO, rules->rule[i].allow ? "may be sent to" :
			 "is never sent to", "range", range, NULL);
	}
}

static int start(struct media *d, const struct options *o, char **why_r)
{
	struct relay_config config = { .most_calls = o->most_calls,
				       .release = PACKAGE_VERSION,
				       .srtp = o->srtp, .rules = o->rules };
	int err = local_choose(&o->local, config.local, &config.locals,
			       why_r);

	d->worker.merge = o->merge;
	if (!err)
		err = worker_open(&d->worker, &config, on_say, d, why_r);
	if (err)
		return err;
	d->worker.pace.drain = o->drain;
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		return errno;
	err = watch_all(d);
	if (!err)
		err = control_open(o->socket, d->epoll, on_message, d,
				   &d->control, why_r);
	if (err)
		return err;
	log_rules(&config.rules);
	for (unsigned i = 0; i < config.locals; i++) {
		char base[ADDR_TEXT_SIZE], seen[ADDR_TEXT_SIZE];

		addr_format(&config.local[i].base, base);
		addr_format(&config.local[i].seen, seen);
		log_line(LOG_INFO, "started", "version", PACKAGE_VERSION,
			 "address", base, "public", seen, "socket", o->socket,
			 NULL);
	}
	return 0;
}

/* As privatecalld: what only the admin can mend is EX_CONFIG. An address may
 * come: a machine that starts does not always wait for its own. */
static int code_of(int err)
{
	return err == ENOMEM || err == EMFILE || err == ENFILE ||
	       err == EADDRNOTAVAIL ? EXIT_FAILURE : EX_CONFIG;
}

static int run(const struct options *o)
{
	static struct media d = { .epoll = -1, .signals = -1 };
	char *why = NULL;
	int err;

	signal(SIGPIPE, SIG_IGN);      /* who reads the log may leave */
	signal(SIGHUP, SIG_IGN);       /* nothing to read again: calls go on */
	err = start(&d, o, &why);

	if (err) {
		fprintf(stderr, "privatecall-media: %s\n", why ? why :
			strerror(err));
		free(why);
	} else {
		loop(&d);
		worker_report(&d.worker, true);
		log_line(LOG_INFO, "stopped", NULL);
	}
	control_close(d.control);
	worker_close(&d.worker);
	if (d.signals >= 0)
		close(d.signals);
	if (d.epoll >= 0)
		close(d.epoll);
	return err ? code_of(err) : 0;
}

/* --- options ---------------------------------------------------------- */

static void usage(FILE *out)
{
	fputs("Usage: privatecall-media [OPTION]...\n"
	      "  --address IP         where it is, one IPv4 and one IPv6; "
	      "else found out\n"
	      "  --public-address IP  where 1:1 NAT shows it\n"
	      "  --port N             of UDP, 10000; 0: a free one\n"
	      "  --forbid RANGE       never sends there, as 192.0.2.0/24 or "
	      "2001:db8::/32;\n"
	      "                       more than once; the narrowest range "
	      "counts\n"
	      "  --allow RANGE        but there\n"
	      "  --socket PATH        where privatecalld comes, "
	      WIRE_SOCKET "\n"
	      "  --max-calls N        1000\n"
	      "  --srtp NAME          whose SRTP in mode `room': evp, of "
	      "OpenSSL's\n"
	      "                       ciphers, or libsrtp\n"
	      "  --drain US           how long packets gather when more than "
	      "5000 come in a\n"
	      "                       second, which saves CPU time, 250; 0: "
	      "not at all\n"
	      "  --no-merge           each packet alone through the system: no "
	      "UDP_SEGMENT,\n"
	      "                       no UDP_GRO\n"
	      "  --version, --help\n", out);
}

/* Digits alone, up to `max`; false: said what was expected. */
static bool read_number(const char *name, const char *text, unsigned long min,
			unsigned long max, unsigned long *n_r)
{
	char *end;

	errno = 0;
	*n_r = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno &&
	    *n_r >= min && *n_r <= max)
		return true;
	fprintf(stderr, "privatecall-media: --%s: expected a number of %lu "
		"to %lu, not `%s'\n", name, min, max, text);
	return false;
}

static bool add(const char *name, const char *text, const char **list)
{
	unsigned n = 0;

	while (list[n])
		n++;
	if (n == ICE_LOCALS_MAX) {
		fprintf(stderr, "privatecall-media: --%s: expected one IPv4 "
			"and one IPv6 address, not a third\n", name);
		return false;
	}
	list[n] = text;
	return true;
}

static bool read_srtp(const char *text, enum srtp_backend *srtp_r)
{
	*srtp_r = strcmp(text, "libsrtp") ? SRTP_EVP : SRTP_LIBSRTP;
	if (*srtp_r == SRTP_LIBSRTP || strcmp(text, "evp") == 0)
		return true;
	fprintf(stderr, "privatecall-media: --srtp: expected evp or libsrtp, "
		"not `%s'\n", text);
	return false;
}

/* Once for each range; false: said what was expected. */
static bool add_rule(struct addr_rules *rules, const char *name,
		     const char *text)
{
	char whole[ADDR_TEXT_SIZE];
	struct addr_range range;
	int rc = addr_range_parse(text, &range);

	if (rc == EDOM) {
		addr_range_format(&range, whole);
		fprintf(stderr, "privatecall-media: --%s: expected a range, "
			"`%s' is an address in one: did you mean %s?\n", name,
			text, whole);
		return false;
	}
	if (rc) {
		fprintf(stderr, "privatecall-media: --%s: expected addresses "
			"as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32, not "
			"`%s'\n", name, text);
		return false;
	}
	rc = addr_rules_add(rules, &range, name[0] == 'a');
	if (rc)
		fprintf(stderr, "privatecall-media: --%s: `%s' %s\n", name,
			text, rc == EPERM ? "is this host, multicast, reserved "
			"or hides an IPv4 address: nothing opens it" :
			rc == EEXIST ? "was named before" :
			"is one too many: at most 64 ranges");
	return !rc;
}

static bool take_option(struct options *o, int c, const char *text)
{
	unsigned long n = 0;

	switch (c) {
	case 'a':
		return add("address", text, o->local.address);
	case 'u':
		return add("public-address", text, o->local.public_address);
	case 'p':
		if (!read_number("port", text, 0, UINT16_MAX, &n))
			return false;
		o->local.port = (uint16_t)n;
		return true;
	case 'm':
		if (!read_number("max-calls", text, 1, RELAY_CALLS_MAX, &n))
			return false;
		o->most_calls = (unsigned)n;
		return true;
	case 'd':
		if (!read_number("drain", text, 0, PACE_DRAIN_MAX, &n))
			return false;
		o->drain = (unsigned)n;
		return true;
	case 'n':
		o->merge = false;
		return true;
	case 's':
		o->socket = text;
		return true;
	case 'f':
		return add_rule(&o->rules, "forbid", text);
	case 'l':
		return add_rule(&o->rules, "allow", text);
	case 'k':
		return read_srtp(text, &o->srtp);
	default:
		usage(stderr);
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "address", required_argument, NULL, 'a' },
		{ "public-address", required_argument, NULL, 'u' },
		{ "forbid", required_argument, NULL, 'f' },
		{ "allow", required_argument, NULL, 'l' },
		{ "port", required_argument, NULL, 'p' },
		{ "socket", required_argument, NULL, 's' },
		{ "max-calls", required_argument, NULL, 'm' },
		{ "srtp", required_argument, NULL, 'k' },
		{ "drain", required_argument, NULL, 'd' },
		{ "no-merge", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .local.port = PORT, .socket = WIRE_SOCKET,
			     .most_calls = CALLS,
			     .drain = PACE_DRAIN_US, .merge = true };
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'V') {
			puts("privatecall-media " PACKAGE_VERSION);
			return 0;
		}
		if (c == 'h') {
			usage(stdout);
			return 0;
		}
		if (!take_option(&o, c, optarg))
			return EX_USAGE;
	}
	if (optind < argc) {
		usage(stderr);
		return EX_USAGE;
	}
	return run(&o);
}
