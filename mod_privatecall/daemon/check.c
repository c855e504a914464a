/* check.c: `privatecallctl check` (X11): asks each host what can be asked from
 * outside, sees whether what we send to ourselves comes back to us, and says
 * what is there, what is not, and which lines to add.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/delay.h"
#include "jingle/stanza/ns.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/presence/privilege.h"

#define CHECK_MS 3000              /* for all answers */
#define WAITING_MAX 32             /* who ask for the same check */
#define ECHOES 16                  /* messages to ourselves */
#define CLOCK_MS 5000              /* clocks may differ by that */
#define RATE_MIN 10000             /* bytes a second: an offer has up to 20 KiB
				      and comes with its candidates */
#define CONFLICT_MS (10 * 60 * 1000)       /* one before is history */

struct check_host {
	bool has_clock;
	int64_t clock;             /* the server's is ahead by, ms */
	bool registration;         /* its form was given to us */
};

struct check {
	struct ctl_request *waiting[WAITING_MAX];
	unsigned waiting_n;
	unsigned owed;             /* answers of hosts */
	unsigned echoes;           /* a bit for each that came */
	int64_t started, deadline;
	struct check_host *host;   /* as dm->modules */
};

/* --- the report ------------------------------------------------------- */

enum level { OK, NOTE, WARN, FAIL };

static const char *const level_words[] = { "ok", "note", "WARN", "FAIL" };
static const char *const level_names[] = { "ok", "note", "warn", "fail" };

struct report {
	struct daemon *dm;
	FILE *out;
	json_t *findings;
	bool failed;
};

/* One finding; `host` NULL: about none alone. */
static void say(struct report *r, enum level level, const char *host,
		const char *about, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static void say(struct report *r, enum level level, const char *host,
		const char *about, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	fprintf(r->out, "%-4s  %s\n", level_words[level], text ? text : "?");
	json_array_append_new(r->findings, json_pack(
		"{s:s,s:s?,s:s,s:s?,s:n}", "level", level_names[level],
		"host", host, "about", about, "text", text, "mend"));
	r->failed = r->failed || level == FAIL;
	free(text);
}

/* What to do about the last finding, in lines. */
static void mend(struct report *r, const char *text)
{
	json_t *last = json_array_get(r->findings,
				      json_array_size(r->findings) - 1);
	const char *line = text, *end;

	for (; line && *line; line = *end ? end + 1 : end) {
		end = strchr(line, '\n');
		if (!end)
			end = line + strlen(line);
		fprintf(r->out, "%s%.*s\n", end > line ? "      " : "",
			(int)(end - line), line);
	}
	json_object_set_new(last, "mend", text ? json_string(text) :
						 json_null());
}

static void mend_snippet(struct report *r, const struct module_host *m,
			 enum snippet what, enum snippet also)
{
	const char *domain = r->dm->conf->domain, *host = m ? m->host : domain;
	const char *server = m ? m->server : NULL;
	char *a = snippet_text(what, server, domain, host), *b = NULL;
	char *both = NULL;

	if (also != what)
		b = snippet_text(also, server, domain, host);
	if (asprintf(&both, "%s%s", a ? a : "", b ? b : "") < 0)
		both = NULL;
	mend(r, both);
	free(both);
	free(b);
	free(a);
}

/* --- what is found: the link ------------------------------------------ */

static void put_conflict(struct report *r)
{
	const struct uplink *u = &r->dm->uplink;
	char when[32];

	if (!u->conflict || clock_wall() - u->conflict > CONFLICT_MS)
		return;
	status_time(u->conflict, when);
	say(r, WARN, NULL, "second link", "another program has connected as "
	    "%s, last at %s (%u times since our start)", r->dm->conf->domain,
	    when, u->conflicts);
	mend(r, "Stop the other one: two privatecalld that take each other's "
	     "place lose calls.");
}

/* A server that lets in both sends each message to one of them. */
static void put_echoes(struct report *r, const struct check *c)
{
	unsigned lost = ECHOES - (unsigned)__builtin_popcount(c->echoes);

	if (!lost || lost == ECHOES)
		return;
	say(r, WARN, NULL, "second link", "%u of %u messages from %s to "
	    "itself did not come back: another program is connected as %s "
	    "too", lost, ECHOES, r->dm->conf->domain, r->dm->conf->domain);
	mend(r, "Stop the other one: the server gives each of you a part of "
	     "each call.");
}

static bool is_loopback(const char *server)
{
	return strncmp(server, "127.", 4) == 0 || strcmp(server, "::1") == 0 ||
	       strcmp(server, "localhost") == 0;
}

/* XEP-0114 has no encryption. */
static void put_network(struct report *r)
{
	const char *server = r->dm->conf->server;

	if (is_loopback(server))
		return;
	say(r, NOTE, NULL, "network", "the link to %s leaves this machine, "
	    "and is not encrypted: whoever reads along sees who calls whom",
	    server);
	mend(r, "Have both on one machine, or in a network that is encrypted "
	     "(doc/admin/network.md).");
}

static void put_link(struct report *r, const struct check *c)
{
	const struct conf *conf = r->dm->conf;
	bool up = link_state(r->dm->link) == LINK_UP;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	status_put_link(out, r->dm, "      ");
	fclose(out);
	if (len)
		text[len - 1] = 0;
	say(r, up ? OK : FAIL, NULL, "link", "component link to %s:%u: %s",
	    conf->server, (unsigned)conf->port, text ? text : "?");
	free(text);
	/* Once it was let in, its lines are there. */
	if (!up && !r->dm->link_was_up)
		mend_snippet(r, NULL, SNIPPET_COMPONENT, SNIPPET_COMPONENT);
	put_network(r);
	put_conflict(r);
	if (up)
		put_echoes(r, c);
}

static void put_media(struct report *r)
{
	bool up = media_is_up(r->dm);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	status_put_media(out, r->dm);
	fclose(out);
	say(r, !up ? FAIL : media_takes_calls(r->dm) ? OK : WARN, NULL,
	    "media", "media %s", text ? text : "?");
	free(text);
	if (!up)
		mend(r, "What it says: journalctl -u privatecall-media. Its "
		     "--socket is our `media_socket'.\nWithout it `media = "
		     "direct' is left: each device then learns the other's "
		     "address\n(doc/admin/media.md).");
}

/* --- what is found: a host -------------------------------------------- */

static const char *source(const struct module_host *m, unsigned privilege,
			  const char *otherwise)
{
	return m->up ? "module" : m->granted & privilege ? "privilege" :
	       otherwise;
}

static void put_without_module(struct report *r, const struct module_host *m)
{
	const char *domain = r->dm->conf->domain;
	unsigned all = PRIVILEGE_ROSTER | PRIVILEGE_PRESENCE |
		       PRIVILEGE_BLOCKS;
	enum snippet what = r->dm->modules_n > 1 ? SNIPPET_MODULE_HOST :
						   SNIPPET_MODULE;
	unsigned wanted = snippet_is_ejabberd(m->server) ? PRIVILEGE_ROSTER :
							   all;

	say(r, NOTE, m->host, "facts", "%s (%s) has no module of ours: its "
	    "users are called at %s alone\n"
	    "      who is active: %s\n"
	    "      rosters:       %s\n"
	    "      block lists:   %s", m->host, m->server ? m->server : "?",
	    domain, m->granted & PRIVILEGE_PRESENCE ? "by XEP-0356" :
	    "of those who have added us, by their presence",
	    m->granted & PRIVILEGE_ROSTER ? "by XEP-0356" :
	    "not known; contacts are those added at our addresses",
	    m->granted & PRIVILEGE_BLOCKS ? "by XEP-0356" :
	    "not known; who is blocked on the server still gets through "
	    "here");
	mend_snippet(r, m, what, (m->granted & wanted) == wanted ? what :
				 SNIPPET_PRIVILEGE);
}

static void put_skew(struct report *r, const struct module_host *m)
{
	const char *how = m->skew < 0 ? "older than" : m->skew > 0 ?
			  "newer than" : "of another protocol than";

	say(r, WARN, m->host, "version", "the module for %s (%s) is %s "
	    "privatecalld %s", m->host, m->what, how, PACKAGE_VERSION);
	mend(r, m->skew > 0 ? "Install the privatecalld that came with it." :
	     "Install the module that came with privatecalld (step 2 of "
	     "doc/admin/), and let\nthe server load it.");
}

static void put_module(struct report *r, const struct module_host *m)
{
	say(r, OK, m->host, "facts", "%s: sessions, rosters and block lists "
	    "by the server's module (%s)", m->host, m->what);
	if (m->odd)
		put_skew(r, m);
	if (!m->enabled)
		say(r, NOTE, m->host, "switch", "the module for %s has "
		    "private calls off (private_calls)", m->host);
}

static void put_rate(struct report *r, const struct module_host *m)
{
	if (m->up && m->user_rate && m->user_rate < RATE_MIN)
		say(r, WARN, m->host, "rate", "users of %s may send %u bytes "
		    "a second: an offer of up to 20 KiB takes seconds",
		    m->host, m->user_rate);
	else if (!m->up && snippet_is_ejabberd(m->server))
		say(r, NOTE, m->host, "rate", "what users of %s may send a "
		    "second is not seen from here; the 3,000 bytes of Debian's "
		    "file make an offer take seconds", m->host);
	else
		return;
	mend_snippet(r, m, SNIPPET_RATE, SNIPPET_RATE);
}

static void put_pres_counter(struct report *r, const struct module_host *m)
{
	if (!snippet_is_ejabberd(m->server) || (m->up && !m->pres_counter))
		return;
	say(r, m->up ? WARN : NOTE, m->host, "mod_pres_counter",
	    "mod_pres_counter %s: it drops the sixth subscription of our "
	    "contacts in a minute, whichever user it is for", m->up ?
	    "is loaded" : "is loaded in Debian's file, and not seen from "
	    "here");
	mend_snippet(r, m, SNIPPET_PRES_COUNTER, SNIPPET_PRES_COUNTER);
}

/* XEP-0356 of ejabberd tells neither who is online when we connect, nor whose
 * connection broke. */
static void put_presence(struct report *r, const struct module_host *m)
{
	if (m->up || !snippet_is_ejabberd(m->server) ||
	    !(m->granted & PRIVILEGE_PRESENCE))
		return;
	say(r, WARN, m->host, "presence", "%s grants presence by XEP-0356 and "
	    "does not say whose connection broke: such users are rung in "
	    "vain", m->host);
	mend(r, "Remove `presence:' of mod_privilege, or install our module.");
}

static void put_clock(struct report *r, const struct module_host *m,
		      const struct check_host *h)
{
	if (!h->has_clock || llabs(h->clock) <= CLOCK_MS)
		return;
	say(r, WARN, m->host, "clock", "the clock of %s is %lld s %s this "
	    "machine's: the times of calls and notices are wrong", m->host,
	    llabs(h->clock) / 1000, h->clock < 0 ? "behind" : "ahead of");
	mend(r, "Let both keep time (systemd-timesyncd, chrony).");
}

static bool is_open(const struct module_host *m, const struct check_host *h)
{
	return m->up ? m->registration : h->registration;
}

static void put_host(struct report *r, const struct module_host *m,
		     const struct check_host *h)
{
	if (m->up)
		put_module(r, m);
	else
		put_without_module(r, m);
	put_presence(r, m);
	if (is_open(m, h)) {
		say(r, WARN, m->host, "registration", "anybody can make "
		    "himself an account at %s, and call with it past all "
		    "limits", m->host);
		mend_snippet(r, m, SNIPPET_CLOSED, SNIPPET_CLOSED);
	}
	put_rate(r, m);
	put_pres_counter(r, m);
	put_clock(r, m, h);
}

static json_t *host_json(const struct module_host *m,
			 const struct check_host *h)
{
	/* Prosody answers nobody but strangers on a stream of their own. */
	bool seen = m->up || h->registration ||
		    snippet_is_ejabberd(m->server);

	return json_pack("{s:s,s:s?,s:s?,s:s,s:s,s:s,s:o,s:o,s:o}",
			 "host", m->host, "server", m->server,
			 "module", m->up ? m->what : NULL,
			 "sessions", source(m, PRIVILEGE_PRESENCE,
					    "subscription"),
			 "rosters", source(m, PRIVILEGE_ROSTER, "none"),
			 "block_lists", source(m, PRIVILEGE_BLOCKS, "none"),
			 "registration", seen ? json_boolean(is_open(m, h)) :
						json_null(),
			 "user_rate", m->up && m->user_rate ?
			 json_integer(m->user_rate) : json_null(),
			 "clock", h->has_clock ? json_integer(h->clock) :
						 json_null());
}

/* --- the answer ------------------------------------------------------- */

static json_t *put_report(struct report *r, const struct check *c)
{
	struct daemon *dm = r->dm;
	json_t *hosts = json_array();
	unsigned i, n = c->host ? dm->modules_n : 0;

	put_link(r, c);
	if (dm->site.media != MODE_DIRECT)
		put_media(r);
	/* Without the link nothing is known of them. */
	if (link_state(dm->link) != LINK_UP)
		n = 0;
	for (i = 0; i < n; i++) {
		put_host(r, &dm->modules[i], &c->host[i]);
		json_array_append_new(hosts, host_json(&dm->modules[i],
						       &c->host[i]));
	}
	say(r, dm->degraded ? FAIL : OK, NULL, "database", "database %s %s",
	    dm->conf->database, dm->degraded ? "takes no writes" :
					       "takes writes");
	fprintf(r->out, "%-4s  private calls are ",
		level_words[dm->site.enabled ? OK : NOTE]);
	status_put_switch(r->out, dm, "enabled");
	fputc('\n', r->out);
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:O}",
			 "link", status_link_json(dm),
			 "database", status_database_json(dm),
			 "enabled", status_switch_json(dm, "enabled"),
			 "media", status_media_json(dm),
			 "hosts", hosts, "findings", r->findings);
}

static void answer_all(struct check *c, int code, json_t *data,
		       const char *text)
{
	unsigned i;

	for (i = 0; i < c->waiting_n; i++)
		ctl_answer(c->waiting[i], code, json_incref(data), "%s", text);
}

static void forget(struct daemon *dm)
{
	free(dm->check->host);
	free(dm->check);
	dm->check = NULL;
}

static void finish(struct daemon *dm)
{
	struct report r = { .dm = dm, .findings = json_array() };
	char *text = NULL;
	size_t len = 0;
	json_t *data;

	r.out = open_memstream(&text, &len);
	if (r.out) {
		data = put_report(&r, dm->check);
		fclose(r.out);
		if (len)
			text[len - 1] = 0;
		answer_all(dm->check, r.failed, data, text ? text : "?");
		json_decref(data);
		free(text);
	} else {
		answer_all(dm->check, 1, NULL, "out of memory");
	}
	json_decref(r.findings);
	forget(dm);
}

/* --- asking ----------------------------------------------------------- */

static void ask(struct daemon *dm, const char *host, enum host_iq kind,
		const char *ns, const char *name)
{
	struct check *c = dm->check;
	const char *id = arena_printf(dm->arena, "check-%u", ++dm->questions);
	struct xml_elem *iq = stanza_new(dm->arena, STANZA_IQ, "get", id,
					 dm->conf->domain, host);

	if (!xml_add(dm->arena, iq, ns, name) || !id ||
	    iq_table_add(dm->module_iqs, id, host, c->deadline, kind, host,
			 0))
		return;
	c->owed++;
	link_send(dm->link, iq, false);
}

static void send_echoes(struct daemon *dm)
{
	struct arena *a = dm->arena;
	struct xml_elem *message;
	unsigned i;

	for (i = 0; i < ECHOES; i++) {
		message = stanza_new(a, STANZA_MESSAGE, "headline",
				     arena_printf(a, "echo-%u-%u", dm->checks,
						  i),
				     dm->conf->domain, dm->conf->domain);
		if (message)
			link_send(dm->link, message, false);
	}
}

static bool is_complete(const struct check *c)
{
	return !c->owed && c->echoes == (1u << ECHOES) - 1;
}

static int start(struct daemon *dm, struct ctl_request *r)
{
	struct check *c = calloc(1, sizeof(*c));
	unsigned i;

	if (!c)
		return ENOMEM;
	c->host = calloc(dm->modules_n + 1, sizeof(*c->host));
	c->started = clock_wall();
	c->deadline = clock_now() + CHECK_MS;
	c->waiting[c->waiting_n++] = r;
	dm->check = c;
	dm->checks++;
	if (!c->host || link_state(dm->link) != LINK_UP) {
		finish(dm);
		return 0;
	}
	for (i = 0; i < dm->modules_n; i++) {
		ask(dm, dm->modules[i].host, HOST_VERSION, NS_VERSION,
		    "query");
		ask(dm, dm->modules[i].host, HOST_TIME, NS_TIME, "time");
		ask(dm, dm->modules[i].host, HOST_REGISTER, NS_REGISTER,
		    "query");
	}
	send_echoes(dm);
	arena_reset(dm->arena);
	return 0;
}

void check_run(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;

	(void)argc, (void)argv;
	if (!dm->check && start(dm, r))
		ctl_answer(r, 1, NULL, "out of memory");
	else if (dm->check && dm->check->waiting[0] != r &&
		 dm->check->waiting_n == WAITING_MAX)
		ctl_answer(r, 1, NULL, "too many ask for a check, try again");
	else if (dm->check && dm->check->waiting[0] != r)
		dm->check->waiting[dm->check->waiting_n++] = r;
}

/* --- what comes ------------------------------------------------------- */

static void read_version(struct module_host *m, const struct xml_elem *iq,
			 struct arena *a)
{
	const struct xml_elem *query = xml_child(iq, NS_VERSION, "query");
	const struct xml_elem *name = xml_child(query, NS_VERSION, "name");
	const struct xml_elem *v = xml_child(query, NS_VERSION, "version");
	const char *name_text = name ? xml_text(a, name) : NULL;
	const char *v_text = v ? xml_text(a, v) : NULL;
	char *server;

	if (!name_text || asprintf(&server, "%s %s", name_text,
				   v_text ? v_text : "?") < 0)
		return;
	free(m->server);
	m->server = server;
}

/* The answer left the server about half way between question and now. */
static void read_time(const struct check *c, struct check_host *h,
		      const struct xml_elem *iq, struct arena *a)
{
	const struct xml_elem *time = xml_child(iq, NS_TIME, "time");
	const struct xml_elem *utc = xml_child(time, NS_TIME, "utc");
	const char *text = utc ? xml_text(a, utc) : NULL;
	int64_t now = clock_wall(), then;

	h->has_clock = text && !delay_parse(text, &then);
	if (h->has_clock)
		h->clock = then - (c->started + now) / 2;
}

/* A form for an account, and not for the one that asks. */
static void read_register(struct check_host *h, const struct xml_elem *iq)
{
	const struct xml_elem *query = xml_child(iq, NS_REGISTER, "query");

	h->registration = xml_child(query, NS_REGISTER, "username") &&
			  !xml_child(query, NS_REGISTER, "registered");
}

void check_answered(struct daemon *dm, const struct iq_asked *q,
		    const struct stanza *s, struct arena *arena)
{
	struct module_host *m = modules_find(dm, q->context);
	struct check *c = dm->check;
	struct check_host *h = &c->host[m - dm->modules];

	c->owed--;
	if (s && strcmp(s->type, "result") == 0) {
		if (q->kind == HOST_VERSION && !m->up)
			read_version(m, s->elem, arena);
		else if (q->kind == HOST_TIME)
			read_time(c, h, s->elem, arena);
		else if (q->kind == HOST_REGISTER)
			read_register(h, s->elem);
	}
	if (is_complete(c))
		finish(dm);
}

bool check_echo(struct daemon *dm, const struct stanza *s)
{
	unsigned check, i;

	if (s->kind != STANZA_MESSAGE || !s->id ||
	    strcmp(s->from.full, dm->conf->domain) != 0 ||
	    sscanf(s->id, "echo-%u-%u", &check, &i) != 2)
		return false;
	if (dm->check && check == dm->checks && i < ECHOES) {
		dm->check->echoes |= 1u << i;
		if (is_complete(dm->check))
			finish(dm);
	}
	return true;
}

void check_link_lost(struct daemon *dm)
{
	if (dm->check)
		finish(dm);
}

int64_t check_deadline(const struct daemon *dm)
{
	return dm->check ? dm->check->deadline : INT64_MAX;
}

void check_tick(struct daemon *dm, int64_t now)
{
	if (dm->check && now >= dm->check->deadline && !dm->check->owed)
		finish(dm);
}

void check_free(struct daemon *dm)
{
	if (!dm->check)
		return;
	answer_all(dm->check, 1, NULL, "privatecalld ends");
	forget(dm);
}
