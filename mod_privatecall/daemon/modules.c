/* modules.c: the server's module on each of our hosts: is it there, in which
 * version, and what does it tell (doc/protocol.md).
 *
 * Each has its own: a host may be without, and then its users have gateway
 * mode alone.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/ns.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/presence/privilege.h"

#define HELLO_TIMEOUT_MS 10000
#define HELLO_AGAIN_MS 60000
#define SESSIONS_TIMEOUT_MS 10000

struct module_host *modules_find(const struct daemon *dm, const char *domain)
{
	unsigned i;

	for (i = 0; i < dm->modules_n; i++)
		if (strcmp(dm->modules[i].host, domain) == 0)
			return &dm->modules[i];
	return NULL;
}

bool modules_has(const struct daemon *dm, const char *domain)
{
	const struct module_host *m = modules_find(dm, domain);

	return m && m->up;
}

bool modules_enabled(const struct daemon *dm, const char *domain)
{
	const struct module_host *m = modules_find(dm, domain);

	return !m || m->enabled;
}

static struct gateway_env make_env(struct arena *arena)
{
	return (struct gateway_env){ .arena = arena, .now = clock_now(),
				     .wall = clock_wall() };
}

/* --- hello ------------------------------------------------------------ */

static void say_hello(struct daemon *dm, struct module_host *m,
		      struct arena *arena)
{
	const char *id = arena_printf(arena, "hello-%u", ++dm->questions);
	struct xml_elem *iq = stanza_new(arena, STANZA_IQ, "set", id,
					 dm->conf->domain, m->host);

	module_add_hello(arena, iq);
	m->ask_at = 0;
	if (!iq || !id ||
	    iq_table_add(dm->module_iqs, id, m->host, clock_now() +
			 HELLO_TIMEOUT_MS, HOST_HELLO, m->host, 0)) {
		m->ask_at = clock_now() + HELLO_AGAIN_MS;
		return;
	}
	link_send(dm->link, iq, false);
}

static void make_table(struct daemon *dm)
{
	char **host = dm->conf->hosts;
	struct module_host *m;
	unsigned n = 0;

	while (host[n])
		n++;
	dm->modules = calloc(n, sizeof(*dm->modules));
	for (; dm->modules && *host; host++) {
		m = &dm->modules[dm->modules_n];
		m->enabled = true;
		m->host = strdup(*host);
		if (m->host)
			dm->modules_n++;
	}
}

void modules_link_up(struct daemon *dm)
{
	unsigned i;

	if (!dm->modules)
		make_table(dm);
	for (i = 0; i < dm->modules_n; i++)
		say_hello(dm, &dm->modules[i], dm->arena);
	arena_reset(dm->arena);
}

void modules_link_lost(struct daemon *dm)
{
	struct iq_asked *q;
	unsigned i;

	while ((q = iq_table_expire(dm->module_iqs, INT64_MAX)))
		iq_asked_free(q);
	for (i = 0; i < dm->modules_n; i++) {
		dm->modules[i].up = false;
		dm->modules[i].ask_at = 0;
		dm->modules[i].granted = 0;
	}
}

void modules_free(struct daemon *dm)
{
	unsigned i;

	for (i = 0; i < dm->modules_n; i++) {
		free(dm->modules[i].host);
		free(dm->modules[i].what);
		free(dm->modules[i].server);
	}
	free(dm->modules);
	dm->modules = NULL;
	dm->modules_n = 0;
}

static void set_what(struct module_host *m, const struct module_hello *h)
{
	char *what, *server = strdup(h->server);

	m->registration = h->registration;
	m->pres_counter = h->pres_counter;
	m->user_rate = h->user_rate;
	if (server) {
		free(m->server);
		m->server = server;
	}
	if (asprintf(&what, "%s %s, %s", h->software, h->release,
		     h->server) < 0)
		return;
	m->said = m->said && m->what && strcmp(m->what, what) == 0;
	free(m->what);
	m->what = what;
}

/* By the numbers in them: -1, 0 or 1. */
static int compare_versions(const char *a, const char *b)
{
	unsigned long x, y;

	while (*a || *b) {
		x = strtoul(a, (char **)(uintptr_t)&a, 10);
		y = strtoul(b, (char **)(uintptr_t)&b, 10);
		if (x != y)
			return x < y ? -1 : 1;
		if (*a != *b)
			return *a < *b ? -1 : 1;
		a += *a != 0;
		b += *b != 0;
	}
	return 0;
}

static void log_there(struct module_host *m, const struct module_hello *h)
{
	if (!m->said)
		log_line(LOG_INFO, "the server's module is there: users can "
			 "call each other's own addresses", "host", m->host,
			 "module", m->what, "private_calls",
			 h->private_calls ? "yes" : "no", "when_down",
			 h->native_when_down ? "native" : "refuse", NULL);
	m->said = true;
	m->odd = h->version != MODULE_VERSION ||
		 strcmp(h->release, PACKAGE_VERSION) != 0;
	m->skew = compare_versions(h->release, PACKAGE_VERSION);
	if (m->odd)
		log_line(LOG_WARN, "the server's module is of another version "
			 "than privatecalld; update the older one", "host",
			 m->host, "module", m->what, "privatecalld",
			 PACKAGE_VERSION, NULL);
}

static bool of_host(const char *bare, const char *host)
{
	return strcmp(strchr(bare, '@') + 1, host) == 0;
}

/* Nobody of this host is called any more (F3). */
static void withdraw(struct daemon *dm, const char *host, struct arena *arena)
{
	struct call_entry *e;
	struct call_event ev;

	for (e = calls_next(dm, NULL); e; e = calls_next(dm, e)) {
		if (!of_host(e->call.leg[0].user, host) &&
		    !of_host(e->call.leg[1].user, host))
			continue;
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_SWITCH_OFF;
		calls_event(e, &ev, arena);
	}
}

static void set_enabled(struct daemon *dm, struct module_host *m, bool on,
			struct arena *arena)
{
	struct gateway_env env = make_env(arena);

	if (m->enabled == on)
		return;
	m->enabled = on;
	log_line(LOG_WARN, on ? "the server's module has private calls on" :
		 "the server's module has private calls off", "host", m->host,
		 NULL);
	gateway_set_host(dm->gateway, m->host, on);
	if (!on)
		withdraw(dm, m->host, arena);
	gateway_enabled(dm->gateway, &env);
	route_gateway(dm, &env);
}

/* s NULL: none came in time. */
static void on_hello(struct daemon *dm, const char *host,
		     const struct stanza *s, struct arena *arena)
{
	struct module_host *m = modules_find(dm, host);
	const struct xml_elem *hello = s ? xml_child(s->elem, NS_QUERY,
						     "hello") : NULL;
	struct gateway_env env = make_env(arena);
	struct module_hello h;

	if (!m)
		return;
	module_read_hello(hello, &h);
	if (hello && h.version && strcmp(s->type, "result") == 0) {
		m->up = true;
		set_what(m, &h);
		log_there(m, &h);
		gateway_replay(dm->gateway, host, false, &env);
		route_gateway(dm, &env);
		set_enabled(dm, m, h.private_calls, arena);
		return;
	}
	if (!s)
		m->ask_at = clock_now() + HELLO_AGAIN_MS;
	if (!m->said)
		log_line(LOG_INFO, "the server has no module for us: its "
			 "users are called at our addresses alone", "host",
			 host, NULL);
	m->said = true;
}

static void on_bye(struct daemon *dm, struct module_host *m,
		   struct arena *arena)
{
	struct gateway_env env = make_env(arena);

	if (!m->up)
		return;
	log_line(LOG_WARN, "the server's module is gone: its users are called "
		 "at our addresses alone", "host", m->host, NULL);
	m->up = m->said = false;
	gateway_untold(dm->gateway, m->host, &env);
	route_gateway(dm, &env);
}

/* --- the mirror ------------------------------------------------------- */

static void read_sessions(struct daemon *dm, const struct xml_elem *list,
			  struct gateway_env *env)
{
	struct gateway_session session;
	const struct xml_elem *e;
	struct jid full;

	for (e = xml_child(list, NS_QUERY, NULL); e;
	     e = xml_next(e, NS_QUERY, NULL)) {
		if (strcmp(e->name, "session") == 0 &&
		    !module_read_session(env->arena, e, &session))
			gateway_session(dm->gateway, &session, env);
		else if (strcmp(e->name, "gone") == 0 &&
			 !jid_parse(env->arena, xml_get(e, "jid"), &full))
			gateway_session_gone(dm->gateway, &full, env);
		else if (strcmp(e->name, "changed") == 0 &&
			 !jid_parse(env->arena, xml_get(e, "jid"), &full))
			gateway_session_changed(dm->gateway, &full, env);
	}
}

static void on_sessions(struct daemon *dm, struct module_host *m,
			const struct xml_elem *list, struct arena *arena)
{
	const char *replay = xml_get(list, "replay");
	struct gateway_env env = make_env(arena);

	if (!m->up)
		return;
	read_sessions(dm, list, &env);
	if (replay && strcmp(replay, "last") == 0)
		gateway_replay(dm->gateway, m->host, true, &env);
	route_gateway(dm, &env);
}

bool modules_message(struct daemon *dm, const struct stanza *s,
		     struct arena *arena)
{
	struct module_host *m;
	const struct xml_elem *e = xml_child(s->elem, NS_QUERY, NULL);
	unsigned granted;

	m = s->from.node || s->from.resource ? NULL :
	    modules_find(dm, s->from.domain);
	/* An error may hold a copy of what was said. */
	if (!m || s->kind != STANZA_MESSAGE || strcmp(s->type, "error") == 0)
		return false;
	if (privilege_read(s->elem, &granted)) {
		m->granted = granted;
		return true;
	}
	if (!e)
		return false;
	if (strcmp(e->name, "hello") == 0)
		say_hello(dm, m, arena);
	else if (strcmp(e->name, "bye") == 0)
		on_bye(dm, m, arena);
	else if (strcmp(e->name, "sessions") == 0)
		on_sessions(dm, m, e, arena);
	return true;
}

/* --- facts ------------------------------------------------------------ */

bool modules_send(struct daemon *dm, const struct xml_elem *iq,
		  const char *to, int64_t deadline, enum host_iq kind,
		  const char *context, unsigned number)
{
	const char *id = xml_get(iq, "id");

	if (!id || iq_table_add(dm->module_iqs, id, to, deadline, kind,
				context, number))
		return false;
	link_send(dm->link, iq, true);
	return true;
}

bool modules_ask(struct daemon *dm, const struct call_action *ask,
		 const char *pair, bool rings, struct arena *arena)
{
	const char *host = strchr(ask->to, '@') + 1;
	const char *id = arena_printf(arena, "facts-%u", ++dm->questions);
	struct xml_elem *iq;
	/* How a call is refused must not show in how long it takes. */
	int64_t patience = rings ? dm->site.facts_timeout :
				   dm->site.facts_last;

	if (!modules_has(dm, host))
		return false;
	iq = stanza_new(arena, STANZA_IQ, "get", id, dm->conf->domain, host);
	module_add_facts(arena, iq, ask->from, ask->to);
	return modules_send(dm, iq, host, clock_now() + patience, HOST_FACTS,
			    pair, ask->ask);
}

void modules_ask_sessions(struct daemon *dm, const char *bare,
			  struct arena *arena)
{
	const char *host = strchr(bare, '@') + 1;
	const char *id = arena_printf(arena, "sessions-%u", ++dm->questions);
	struct xml_elem *iq;

	if (!modules_has(dm, host))
		return;
	iq = stanza_new(arena, STANZA_IQ, "get", id, dm->conf->domain, host);
	module_add_sessions(arena, iq, bare);
	modules_send(dm, iq, host, clock_now() + SESSIONS_TIMEOUT_MS,
		     HOST_SESSIONS, bare, 0);
}

/* All sessions of a user are among the children of `list`. */
static void read_all(struct daemon *dm, const char *bare,
		     const struct xml_elem *list, struct arena *arena)
{
	struct gateway_env env = make_env(arena);

	gateway_replay(dm->gateway, bare, false, &env);
	read_sessions(dm, list, &env);
	gateway_replay(dm->gateway, bare, true, &env);
	route_gateway(dm, &env);
}

/* `facts` NULL: none came in time. */
static void on_facts(struct daemon *dm, const struct iq_asked *q,
		     const struct xml_elem *facts, struct arena *arena)
{
	struct call_entry *e;
	struct module_facts told;
	struct jid to;

	/* The module counts what is in it as told, whatever has become of the
	 * call. */
	if (facts && !jid_parse(arena, xml_get(facts, "to"), &to) && to.node)
		read_all(dm, to.bare, facts, arena);
	e = calls_asking(dm, q->context, q->number);
	if (!e)
		return;
	if (!facts) {
		dm->count.facts_late++;
		calls_told(e, NULL, arena);
		return;
	}
	module_read_facts(facts, &told);
	calls_told(e, &told, arena);
}

/* s NULL: no answer in time. */
static void answered(struct daemon *dm, const struct iq_asked *q,
		     const struct stanza *s, struct arena *arena)
{
	bool result = s && strcmp(s->type, "result") == 0;
	const struct xml_elem *list;

	switch (q->kind) {
	case HOST_HELLO:
		on_hello(dm, q->context, s, arena);
		break;
	case HOST_FACTS:
		/* An error may hold a copy of what was asked. */
		on_facts(dm, q, !result ? NULL :
			 xml_child(s->elem, NS_QUERY, "facts"), arena);
		break;
	case HOST_SESSIONS:
		/* An older module knows no such question, and tells without. */
		list = !result ? NULL : xml_child(s->elem, NS_QUERY,
						  "sessions");
		if (list)
			read_all(dm, q->context, list, arena);
		break;
	case HOST_BLOCKS:
	case HOST_BLOCKED:
	case HOST_ROSTER:
		privileged_answered(dm, q, s, arena);
		break;
	default:
		check_answered(dm, q, s, arena);
	}
}

bool modules_answer(struct daemon *dm, const struct stanza *s,
		    struct arena *arena)
{
	struct iq_asked *q = iq_table_take(dm->module_iqs, s->id,
					   s->from.full);

	if (!q)
		return false;
	answered(dm, q, s, arena);
	iq_asked_free(q);
	return true;
}

/* --- time ------------------------------------------------------------- */

int64_t modules_deadline(const struct daemon *dm)
{
	int64_t t = iq_table_deadline(dm->module_iqs);
	unsigned i;

	for (i = 0; i < dm->modules_n; i++)
		if (dm->modules[i].ask_at && dm->modules[i].ask_at < t)
			t = dm->modules[i].ask_at;
	return t;
}

void modules_tick(struct daemon *dm, int64_t now)
{
	struct iq_asked *q;
	unsigned i;

	while ((q = iq_table_expire(dm->module_iqs, now))) {
		answered(dm, q, NULL, dm->arena);
		iq_asked_free(q);
		arena_reset(dm->arena);
	}
	for (i = 0; i < dm->modules_n; i++)
		if (dm->modules[i].ask_at && dm->modules[i].ask_at <= now)
			say_hello(dm, &dm->modules[i], dm->arena);
}
