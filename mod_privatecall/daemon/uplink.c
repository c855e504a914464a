/* uplink.c: the link to the server as the daemon sees it: what happens when
 * it comes and goes, and why it is down, in words an admin can act on (log,
 * `privatecallctl status` and `check`).
 */
#include "mod_privatecall/daemon/daemon.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"

/* --- stanzas of users ------------------------------------------------- */

/* The part between @ and / of an address that may have both. */
static const char *domain_of(struct arena *a, const char *jid)
{
	size_t bare = strcspn(jid, "/");
	const char *at = memchr(jid, '@', bare);
	const char *domain = at ? at + 1 : jid;

	return arena_strndup(a, domain, bare - (size_t)(domain - jid));
}

static bool is_host(const struct daemon *dm, const char *domain)
{
	char **host;

	for (host = dm->conf->hosts; *host; host++)
		if (strcmp(*host, domain) == 0)
			return true;
	return false;
}

const struct xml_elem *uplink_stanza(struct daemon *dm, struct arena *a,
				     const struct xml_elem *e)
{
	const char *from = domain_of(a, xml_get(e, "from"));
	const char *to = domain_of(a, xml_get(e, "to")), *id;

	if (!from || !to)
		return NULL;
	if (strcmp(from, dm->conf->domain) == 0)
		return e;
	id = arena_printf(a, "relay-%u", ++dm->uplink.relays);
	return module_relay(a, e, dm->conf->domain,
			    is_host(dm, from) ? from : to, id);
}

/* --- why the link is down --------------------------------------------- */

enum mend {
	MEND_SECRET, MEND_DOMAIN, MEND_OTHER, MEND_PORT, MEND_START, MEND_NAME,
	MEND_WAIT, MEND_READ
};

/* A reason as the link tells it: a stream error condition, or the words of
 * libuv. NULL ends the list and means all others. */
struct meaning {
	const char *detail;
	const char *what;
	enum mend mend;
};

static const struct meaning meanings[] = {
	{ "not-authorized", "the server refuses the secret", MEND_SECRET },
	{ "host-unknown", "the server knows no component of this name",
	  MEND_DOMAIN },
	{ "conflict", "another program is connected as this component",
	  MEND_OTHER },
	{ "invalid-namespace", "the port is not for components", MEND_PORT },
	{ "not an XMPP stream", "the port is not for components", MEND_PORT },
	{ "connection refused", "nothing answers at the server's component "
	  "port", MEND_START },
	{ "unknown node or service", "the name of the server is unknown",
	  MEND_NAME },
	{ "temporary failure", "the name of the server cannot be looked up "
	  "now", MEND_NAME },
	{ "connection-timeout", "the server had no answer from us in time",
	  MEND_READ },
	{ "connection timed out", "the server does not answer in time",
	  MEND_READ },
	{ "Connection timed out", "the server does not answer in time",
	  MEND_READ },
	{ "ping not answered", "the server does not answer in time",
	  MEND_READ },
	{ "system-shutdown", "the server shuts down", MEND_WAIT },
	{ "closed by the server", "the server closed the connection",
	  MEND_WAIT },
	{ NULL, "there is no connection to the server", MEND_READ },
};

/* The same from one that has never been a server of ours. */
static const struct meaning first_meanings[] = {
	{ "not-well-formed", "what answers at the port takes no components",
	  MEND_PORT },
	{ "closed by the server", "what answers at the port takes no "
	  "components", MEND_PORT },
	{ NULL, NULL, MEND_READ },
};

/* Why the link was down last. */
static const struct meaning *meaning(const struct daemon *dm)
{
	const struct meaning *m = first_meanings;
	const char *detail = dm->uplink.why;

	while (m->detail && strcmp(m->detail, detail) != 0)
		m++;
	if (m->detail && !dm->link_was_up)
		return m;
	for (m = meanings; m->detail && strcmp(m->detail, detail) != 0; m++)
		;
	return m;
}

/* "`port' (FILE:LINE)", or that it has its default. */
static void put_option(FILE *out, const struct daemon *dm, const char *name)
{
	const char *where = conf_where(dm->conf, name);

	if (where)
		fprintf(out, "`%s' (%s)", name, where);
	else
		fprintf(out, "`%s' (the default, %s does not set it)", name,
			dm->conf_path);
}

static void put_mend(FILE *out, const struct daemon *dm, enum mend mend)
{
	static const char restart[] = ", then restart privatecalld";
	const char *domain = dm->conf->domain;

	switch (mend) {
	case MEND_SECRET:
		fputs("make ", out);
		put_option(out, dm, "secret");
		fprintf(out, " equal to the component_secret of Component "
			"\"%s\" in Prosody's configuration, or to its password "
			"among the hosts of ejabberd's listener (ejabberd says "
			"the same where the name is missing there)%s", domain,
			restart);
		break;
	case MEND_DOMAIN:
		fprintf(out, "add Component \"%s\" and its component_secret "
			"to the server's configuration and restart the "
			"server; or correct ", domain);
		put_option(out, dm, "domain");
		fputs(", or ", out);
		put_option(out, dm, "port");
		fprintf(out, " if that is not one of its component_ports%s",
			restart);
		break;
	case MEND_OTHER:
		fprintf(out, "stop the other program that is %s; after a "
			"crash the server may take its time to notice, less "
			"with component_conflict_resolve = \"kick_old\"",
			domain);
		break;
	case MEND_PORT:
		fputs("make ", out);
		put_option(out, dm, "port");
		fprintf(out, " one of the server's component_ports (usually "
			"5347)%s", restart);
		break;
	case MEND_START:
		fputs("start the server", out);
		if (dm->link_was_up)
			break;
		fputs("; if it runs, make ", out);
		put_option(out, dm, "server");
		fputs(" and ", out);
		put_option(out, dm, "port");
		fprintf(out, " its component_interfaces and component_ports%s",
			restart);
		break;
	case MEND_NAME:
		fputs("make ", out);
		put_option(out, dm, "server");
		fprintf(out, " an address, or a name that this machine can "
			"look up%s", restart);
		break;
	case MEND_WAIT:
		fputs("nothing if the server is being restarted; else its "
		      "log says why", out);
		break;
	case MEND_READ:
		fputs("see the server's log; if it has nothing, check ", out);
		put_option(out, dm, "server");
		fputs(", ", out);
		put_option(out, dm, "port");
		fputs(" and what is between the two", out);
		break;
	}
}

char *uplink_mend(const struct daemon *dm)
{
	char *text = NULL;
	size_t len;
	FILE *out = dm->uplink.why ? open_memstream(&text, &len) : NULL;

	if (!out)
		return NULL;
	put_mend(out, dm, meaning(dm)->mend);
	fclose(out);
	return text;
}

const char *uplink_what(const struct daemon *dm)
{
	return dm->uplink.why ? meaning(dm)->what : NULL;
}

int64_t uplink_next(const struct daemon *dm)
{
	int64_t ms = link_next_attempt(dm->link);

	return ms < 0 ? 0 : clock_wall() + ms;
}

static void set_text(char **at, const char *text)
{
	free(*at);
	*at = text ? strdup(text) : NULL;
}

/* Once it is up again only why it was lost is of interest, not what the
 * attempts met while the server was away. */
static void remember(struct daemon *dm, enum link_event ev, const char *detail)
{
	struct uplink *u = &dm->uplink;

	if (ev == LINK_EV_UP || ev == LINK_EV_LOST)
		u->since = clock_wall();
	if (strcmp(detail, "conflict") == 0) {
		u->conflicts++;
		u->conflict = clock_wall();
	}
	if (ev == LINK_EV_LOST) {
		u->lost = u->since;
		set_text(&u->lost_why, detail);
	}
	set_text(&u->why, ev == LINK_EV_UP ? u->lost_why : detail);
}

static void link_up(struct daemon *dm)
{
	struct gateway_env env = { .arena = dm->arena, .now = clock_now(),
				   .wall = clock_wall() };

	log_line(LOG_INFO, "connected to the server", "domain",
		 dm->conf->domain, NULL);
	if (!dm->link_was_up)
		calls_hold(dm);
	gateway_up(dm->gateway, &env);
	route_gateway(dm, &env);
	arena_reset(dm->arena);
	modules_link_up(dm);
	hold_link_ready(dm);
	/* When it was the server that went away, devices come back one by
	 * one: asked before, they would not be found. */
	if (dm->link_was_up) {
		dm->ask_at = clock_now() + GATEWAY_GRACE_MS;
		return;
	}
	calls_all(dm, CALL_EV_RESTORED);
	dm->verify_at = clock_now() + GATEWAY_GRACE_MS;
	dm->link_was_up = true;
}

static void link_lost(struct daemon *dm)
{
	struct gateway_env env = { .arena = dm->arena, .now = clock_now(),
				   .wall = clock_wall() };

	dm->ask_at = 0;
	calls_all(dm, CALL_EV_CUT);
	gateway_down(dm->gateway, &env);
	route_gateway(dm, &env);
	arena_reset(dm->arena);
	notices_link_lost(dm);
	modules_link_lost(dm);
	check_link_lost(dm);
	route_forget_asked(dm);
}

void uplink_event(enum link_event ev, const char *detail, void *arg)
{
	struct daemon *dm = arg;
	char server[300], *mend;

	remember(dm, ev, detail);
	if (ev == LINK_EV_UP) {
		link_up(dm);
		return;
	}
	snprintf(server, sizeof(server), "%s:%u", dm->conf->server,
		 (unsigned)dm->conf->port);
	mend = uplink_mend(dm);
	if (ev == LINK_EV_LOST)
		log_line(LOG_WARN, "the server's connection is lost; running "
			 "calls go on", "why", detail, "what",
			 uplink_what(dm), "mend", mend, NULL);
	else
		log_line(ev == LINK_EV_REFUSED ? LOG_ERROR : LOG_WARN,
			 uplink_what(dm), "why", detail, "server", server,
			 "domain", dm->conf->domain, "mend", mend, NULL);
	free(mend);
	if (ev == LINK_EV_LOST)
		link_lost(dm);
}

void uplink_free(struct daemon *dm)
{
	free(dm->uplink.why);
	free(dm->uplink.lost_why);
}
