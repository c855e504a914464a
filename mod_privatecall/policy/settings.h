/* settings.h: the site's and the users' settings, as product.md's table of
 * defaults names them. Plain values: a const snapshot of them goes into every
 * step. All times are milliseconds.
 */
#ifndef MOD_PRIVATECALL_POLICY_SETTINGS_H
#define MOD_PRIVATECALL_POLICY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum who_may_call { WHO_EVERYONE, WHO_SERVER, WHO_CONTACTS, WHO_NOBODY };
enum second_call { SECOND_WAITING, SECOND_BUSY };
enum notices { NOTICES_ALWAYS, NOTICES_AUTO, NOTICES_NEVER };
/* MODE_AUTO is of settings: of a call one of the others (call/mode.c). */
enum media_mode { MODE_DIRECT, MODE_BLIND, MODE_ROOM, MODE_AUTO };
enum on_leave { LEAVE_END, LEAVE_HOLD };
enum rejoin { REJOIN_RING, REJOIN_NOTIFY };
enum log_privacy { LOG_JIDS_FULL, LOG_JIDS_HASH, LOG_JIDS_NONE };

/* RFC 6121, 4.7.2.1; "online" is a presence without <show/>. */
enum show { SHOW_ONLINE = 1, SHOW_CHAT = 2, SHOW_AWAY = 4, SHOW_XA = 8,
	    SHOW_DND = 16 };

struct settings_user {
	enum who_may_call who_may_call;
	bool messages;
	enum second_call second_call;
	enum notices notices;
};

struct settings_site {
	bool enabled;                /* configured; a stored switch overrides */
	bool messaging;
	bool allow_video;
	bool calls_require_messaging;
	bool remote_users;
	bool hard_limit;
	enum media_mode media;       /* of new calls */
	enum on_leave on_leave;      /* hold: of calls in mode `room` */
	enum rejoin rejoin;          /* who is away: notify in `room` alone */
	unsigned active_show;        /* set of enum show */
	int64_t idle_limit;          /* 0: off (XEP-0319) */
	int64_t ring_timeout;        /* 10-60 s */
	int64_t setup_timeout;
	int64_t room_lifetime;
	int64_t refuse_delay;        /* the fixed 300 ms of Refusals */
	int64_t iq_timeout;          /* 30 s */
	int64_t lost_timeout;        /* unavailable this long: leg lost, 10 s */
	int64_t finish_delay;        /* 2 s */
	int64_t ringing_delay;       /* we say ringing after this, 1 s */
	int64_t facts_timeout;       /* 250 ms, if the mirror will do then */
	int64_t facts_last;          /* 900 ms */
	int64_t media_timeout;       /* the media process answers, 2 s */
	int64_t connect_timeout;     /* session-accept to media both ways */
	int64_t alone_timeout;       /* media of one lost: the call ends */
	unsigned pair_per_minute;    /* 5 */
	unsigned caller_per_minute;  /* 20 */
	unsigned max_calls;          /* running or ringing, all users */
	struct settings_user user;   /* defaults of users' settings */
};

void settings_site_default(struct settings_site *s);

/* Names as used in the configuration, ctl and the store. `*_parse` returns
 * false for a word that is none of the values. */
const char *who_may_call_name(enum who_may_call w);
bool who_may_call_parse(const char *word, enum who_may_call *w_r);
const char *second_call_name(enum second_call s);
bool second_call_parse(const char *word, enum second_call *s_r);
const char *notices_name(enum notices n);
bool notices_parse(const char *word, enum notices *n_r);
const char *media_mode_name(enum media_mode m);
const char *on_leave_name(enum on_leave o);
const char *rejoin_name(enum rejoin r);
const char *show_name(enum show s);
bool show_parse(const char *word, enum show *s_r);

/* One user setting by name ("who_may_call", "messages", "second_call",
 * "notices") and word. 0; ENOENT: no such setting; EBADMSG: no such value,
 * *expected_r names the values. */
int settings_user_set(struct settings_user *u, const char *name,
		      const char *word, const char **expected_r);
/* The word of a setting; NULL: no such setting. */
const char *settings_user_get(const struct settings_user *u,
			      const char *name);
extern const char *const settings_user_names[];   /* NULL-terminated */

#endif
