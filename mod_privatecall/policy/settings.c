/* settings.c: defaults and names of the site's and the users' settings. */
#include "mod_privatecall/policy/settings.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const who_names[] = {
	[WHO_EVERYONE] = "everyone",
	[WHO_SERVER] = "server",
	[WHO_CONTACTS] = "contacts",
	[WHO_NOBODY] = "nobody",
};

static const char *const second_names[] = {
	[SECOND_WAITING] = "waiting",
	[SECOND_BUSY] = "busy",
};

static const char *const notices_names[] = {
	[NOTICES_ALWAYS] = "always",
	[NOTICES_AUTO] = "auto",
	[NOTICES_NEVER] = "never",
};

static const char *const mode_names[] = {
	[MODE_DIRECT] = "direct",
	[MODE_BLIND] = "blind",
	[MODE_ROOM] = "room",
	[MODE_AUTO] = "auto",
};

static const char *const leave_names[] = {
	[LEAVE_END] = "end",
	[LEAVE_HOLD] = "hold",
};

static const char *const rejoin_names[] = {
	[REJOIN_RING] = "ring",
	[REJOIN_NOTIFY] = "notify",
};

static const struct {
	enum show show;
	const char *name;
} shows[] = {
	{ SHOW_ONLINE, "online" },
	{ SHOW_CHAT, "chat" },
	{ SHOW_AWAY, "away" },
	{ SHOW_XA, "xa" },
	{ SHOW_DND, "dnd" },
};

const char *const settings_user_names[] = {
	"who_may_call", "messages", "second_call", "notices", NULL
};

void settings_site_default(struct settings_site *s)
{
	*s = (struct settings_site) {
		.enabled = true,
		.messaging = true,
		.allow_video = true,
		.calls_require_messaging = false,
		.remote_users = false,
		.hard_limit = false,
		.media = MODE_AUTO,
		.active_show = SHOW_ONLINE | SHOW_CHAT,
		.idle_limit = 0,
		.ring_timeout = 30 * SECOND,
		.setup_timeout = 30 * SECOND,
		.room_lifetime = 2 * 3600 * SECOND,
		.refuse_delay = 300,
		.iq_timeout = 30 * SECOND,
		.lost_timeout = 10 * SECOND,
		.finish_delay = 2 * SECOND,
		.ringing_delay = 1 * SECOND,
		.facts_timeout = 250,
		.facts_last = 900,
		.media_timeout = 2 * SECOND,
		.connect_timeout = 20 * SECOND,
		.alone_timeout = 60 * SECOND,
		.pair_per_minute = 5,
		.caller_per_minute = 20,
		.max_calls = 1000,
		.user = {
			.who_may_call = WHO_SERVER,
			.messages = true,
			.second_call = SECOND_WAITING,
			.notices = NOTICES_ALWAYS,
		},
	};
}

static const char *name_of(const char *const *names, size_t n, size_t value)
{
	return value < n ? names[value] : NULL;
}

static bool value_of(const char *const *names, size_t n, const char *word,
		     size_t *value_r)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], word) == 0) {
			*value_r = i;
			return true;
		}
	return false;
}

const char *who_may_call_name(enum who_may_call w)
{
	return name_of(who_names, COUNT(who_names), (size_t)w);
}

bool who_may_call_parse(const char *word, enum who_may_call *w_r)
{
	size_t value;

	if (!value_of(who_names, COUNT(who_names), word, &value))
		return false;
	*w_r = (enum who_may_call)value;
	return true;
}

const char *second_call_name(enum second_call s)
{
	return name_of(second_names, COUNT(second_names), (size_t)s);
}

bool second_call_parse(const char *word, enum second_call *s_r)
{
	size_t value;

	if (!value_of(second_names, COUNT(second_names), word, &value))
		return false;
	*s_r = (enum second_call)value;
	return true;
}

const char *notices_name(enum notices n)
{
	return name_of(notices_names, COUNT(notices_names), (size_t)n);
}

bool notices_parse(const char *word, enum notices *n_r)
{
	size_t value;

	if (!value_of(notices_names, COUNT(notices_names), word, &value))
		return false;
	*n_r = (enum notices)value;
	return true;
}

const char *media_mode_name(enum media_mode m)
{
	return name_of(mode_names, COUNT(mode_names), (size_t)m);
}

const char *on_leave_name(enum on_leave o)
{
	return name_of(leave_names, COUNT(leave_names), (size_t)o);
}

const char *rejoin_name(enum rejoin r)
{
	return name_of(rejoin_names, COUNT(rejoin_names), (size_t)r);
}

const char *show_name(enum show s)
{
	for (size_t i = 0; i < COUNT(shows); i++)
		if (shows[i].show == s)
			return shows[i].name;
	return NULL;
}

bool show_parse(const char *word, enum show *s_r)
{
	for (size_t i = 0; i < COUNT(shows); i++)
		if (strcmp(shows[i].name, word) == 0) {
			*s_r = shows[i].show;
			return true;
		}
	return false;
}

static bool bool_parse(const char *word, bool *value_r)
{
	static const char *const names[] = {
		"no", "yes", "false", "true", "off", "on"
	};
	size_t value;

	if (!value_of(names, COUNT(names), word, &value))
		return false;
	*value_r = value % 2 == 1;
	return true;
}

int settings_user_set(struct settings_user *u, const char *name,
		      const char *word, const char **expected_r)
{
	bool ok;

	*expected_r = NULL;
	if (strcmp(name, "who_may_call") == 0) {
		*expected_r = "everyone, server, contacts, nobody";
		ok = who_may_call_parse(word, &u->who_may_call);
	} else if (strcmp(name, "messages") == 0) {
		*expected_r = "yes, no";
		ok = bool_parse(word, &u->messages);
	} else if (strcmp(name, "second_call") == 0) {
		*expected_r = "waiting, busy";
		ok = second_call_parse(word, &u->second_call);
	} else if (strcmp(name, "notices") == 0) {
		*expected_r = "always, auto, never";
		ok = notices_parse(word, &u->notices);
	} else {
		return ENOENT;
	}
	return ok ? 0 : EBADMSG;
}

const char *settings_user_get(const struct settings_user *u,
			      const char *name)
{
	if (strcmp(name, "who_may_call") == 0)
		return who_may_call_name(u->who_may_call);
	if (strcmp(name, "messages") == 0)
		return u->messages ? "yes" : "no";
	if (strcmp(name, "second_call") == 0)
		return second_call_name(u->second_call);
	if (strcmp(name, "notices") == 0)
		return notices_name(u->notices);
	return NULL;
}
