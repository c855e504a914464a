/* snippet.c: what `privatecallctl check` tells an admin to write into the
 * server's configuration. The lines are those of doc/admin/; tests run them.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROSODY_MODULE \
	"Install our module (doc/admin/prosody.md), and in prosody.cfg.lua:\n" \
	"  VirtualHost \"{host}\"\n" \
	"  \tmodules_enabled = { \"privatecall\" }\n" \
	"  \tprivatecall_component = \"{component}\"\n"

/* "{component}" and "{host}" stand for the two names. NULL: not for it. */
static const struct texts {
	const char *prosody, *ejabberd;
} texts[] = {
	[SNIPPET_COMPONENT] = {
		"In prosody.cfg.lua:\n"
		"  Component \"{component}\"\n"
		"  \tcomponent_secret = \"the secret\"\n"
		"  \tcomponent_conflict_resolve = \"kick_old\"\n",
		"In ejabberd.yml, below `listen:':\n"
		"  -\n"
		"    port: 5347\n"
		"    ip: \"127.0.0.1\"\n"
		"    module: ejabberd_service\n"
		"    access: all\n"
		"    global_routes: false\n"
		"    hosts:\n"
		"      {component}:\n"
		"        password: \"the secret\"\n",
	},
	[SNIPPET_MODULE] = {
		PROSODY_MODULE,
		"Install our module (doc/admin/ejabberd.md), and in "
		"ejabberd.yml, below\n"
		"`modules:':\n"
		"  mod_privatecall:\n"
		"    component: {component}\n",
	},
	[SNIPPET_MODULE_HOST] = {
		PROSODY_MODULE,
		"Install our module (doc/admin/ejabberd.md), and in "
		"ejabberd.yml:\n"
		"  append_host_config:\n"
		"    {host}:\n"
		"      modules:\n"
		"        mod_privatecall:\n"
		"          component: {component}\n",
	},
	[SNIPPET_PRIVILEGE] = {
		"Or, for presence, rosters and block lists alone, install "
		"prosody-modules, and\n"
		"in prosody.cfg.lua:\n"
		"  VirtualHost \"{host}\"\n"
		"  \tmodules_enabled = { \"privilege\" }\n"
		"  \tprivileged_entities = {\n"
		"  \t\t[\"{component}\"] = {\n"
		"  \t\t\troster = \"get\";\n"
		"  \t\t\tpresence = \"managed_entity\";\n"
		"  \t\t\tiq = { [\"urn:xmpp:blocking\"] = \"get\" };\n"
		"  \t\t};\n"
		"  \t}\n"
		"\n"
		"  Component \"{component}\"\n"
		"  \tmodules_enabled = { \"privilege\" }\n",
		"Or, for rosters alone (ejabberd gives nobody but a module "
		"block lists, and its\n"
		"presence by XEP-0356 is not complete), in ejabberd.yml:\n"
		"  acl:\n"
		"    privatecall:\n"
		"      server: {component}\n"
		"  access_rules:\n"
		"    privatecall:\n"
		"      allow: privatecall\n"
		"  modules:\n"
		"    mod_privilege:\n"
		"      roster:\n"
		"        get: privatecall\n",
	},
	[SNIPPET_CLOSED] = {
		"In prosody.cfg.lua:\n"
		"  allow_registration = false\n",
		"In ejabberd.yml, below `modules:', remove `mod_register:' "
		"and its options.\n",
	},
	[SNIPPET_RATE] = {
		"In prosody.cfg.lua:\n"
		"  limits = {\n"
		"  \tc2s = { rate = \"20kb/s\" };\n"
		"  \ts2sin = { rate = \"30kb/s\" };\n"
		"  }\n",
		"In ejabberd.yml:\n"
		"  shaper:\n"
		"    normal:\n"
		"      rate: 20000\n"
		"      burst_size: 100000\n",
	},
	[SNIPPET_PRES_COUNTER] = {
		NULL,
		"In ejabberd.yml, below `modules:', remove "
		"`mod_pres_counter:' and its options.\n",
	},
};

bool snippet_is_ejabberd(const char *server)
{
	return server && strncmp(server, "ejabberd", 8) == 0;
}

static void put_text(FILE *out, const char *text, const char *domain,
		     const char *host)
{
	static const char component[] = "{component}", name[] = "{host}";

	while (text && *text) {
		if (strncmp(text, component, strlen(component)) == 0) {
			fputs(domain, out);
			text += strlen(component);
		} else if (strncmp(text, name, strlen(name)) == 0) {
			fputs(host, out);
			text += strlen(name);
		} else {
			fputc(*text++, out);
		}
	}
}

char *snippet_text(enum snippet what, const char *server, const char *domain,
		   const char *host)
{
	const struct texts *t = &texts[what];
	bool prosody = server && strncmp(server, "Prosody", 7) == 0;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	if (!snippet_is_ejabberd(server))
		put_text(out, t->prosody, domain, host);
	if (!prosody)
		put_text(out, t->ejabberd, domain, host);
	fclose(out);
	return text;
}
