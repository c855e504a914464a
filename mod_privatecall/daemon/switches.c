/* switches.c: the admin's switches over the configuration (F3, F20). */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"

const char *const switches_names[] = { "enabled", "messaging", NULL };
static const char *const words[] = { "no", "yes" };

void switches_apply(struct daemon *dm)
{
	bool was = dm->site.enabled;
	struct gateway_env env = { .arena = dm->arena, .now = clock_now(),
				   .wall = clock_wall() };

	dm->site = dm->conf->site;
	if (dm->enabled_override >= 0)
		dm->site.enabled = dm->enabled_override;
	if (dm->messaging_override >= 0)
		dm->site.messaging = dm->messaging_override;
	if (!dm->gateway)
		return;
	gateway_set_site(dm->gateway, &dm->site);
	if (was && !dm->site.enabled && dm->link_was_up)
		calls_all(dm, CALL_EV_SWITCH_OFF);
	gateway_enabled(dm->gateway, &env);
	route_gateway(dm, &env);
	arena_reset(dm->arena);
}

static int *slot(struct daemon *dm, const char *name)
{
	return strcmp(name, "enabled") == 0 ? &dm->enabled_override :
	       strcmp(name, "messaging") == 0 ? &dm->messaging_override :
						NULL;
}

bool switches_get(const struct daemon *dm, const char *name,
		  bool *configured_r, bool *switched_r)
{
	const struct settings_site *conf = &dm->conf->site;
	bool enabled = strcmp(name, "enabled") == 0;

	*configured_r = enabled ? conf->enabled : conf->messaging;
	*switched_r = (enabled ? dm->enabled_override :
				 dm->messaging_override) >= 0;
	return enabled ? dm->site.enabled : dm->site.messaging;
}

void switches_report(const struct daemon *dm)
{
	bool on, configured, switched;
	char back[48];

	for (size_t i = 0; switches_names[i]; i++) {
		const char *name = switches_names[i];

		on = switches_get(dm, name, &configured, &switched);
		if (on == configured)
			continue;
		snprintf(back, sizeof(back), "privatecallctl default %s",
			 name);
		log_line(LOG_WARN, "a switch of privatecallctl goes before "
			 "the configuration", "switch", name, "to",
			 words[on], "configured", words[configured], "back",
			 back, NULL);
	}
}

int switches_set(struct daemon *dm, const char *name, int value)
{
	struct store_op op = { .kind = STORE_SWITCH_PUT };

	if (dm->degraded)
		return EIO;
	op.u.setting.name = name;
	op.u.setting.value = value < 0 ? NULL : words[value != 0];
	hold_store(dm, &op);
	*slot(dm, name) = value;
	log_line(LOG_INFO, "switched by the admin", "switch", name, "to",
		 value < 0 ? "as configured" : words[value != 0], NULL);
	switches_apply(dm);
	return 0;
}

void switches_restore(struct daemon *dm, const char *name, const char *value)
{
	int *at = slot(dm, name);

	if (at)
		*at = strcmp(value, "yes") == 0;
}
