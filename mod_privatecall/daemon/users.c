/* users.c: users' settings and rate limits, and the facts of a verdict. */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/policy/verdict.h"

#define RECENT_MAX 1024            /* remembered proposes of one caller */
#define DOMAIN_TIMES 10            /* a remote domain calls as often as so many
				      of its users may */
#define MINUTE 60000

struct user {
	UT_hash_handle hh;
	char *bare;
	bool has[8];               /* by settings_user_names */
	struct settings_user set;
	uint64_t notice_n;
	unsigned recent_n, recent_cap;
	struct recent { int64_t at; uint64_t to; } *recent;
};

static void user_free(struct user *u)
{
	free(u->recent);
	free(u->bare);
	free(u);
}

static void forget(struct daemon *dm, struct user *u)
{
	HASH_DEL(dm->users, u);
	user_free(u);
}

/* Puts him last. Without memory for that he is gone: false. */
static bool enter(struct daemon *dm, struct user *u)
{
	HASH_ADD_KEYPTR(hh, dm->users, u->bare, strlen(u->bare), u);
	if (u->hh.tbl)
		return true;
	user_free(u);
	return false;
}

/* Nothing of him matters any more. */
static bool is_idle(const struct daemon *dm, const struct user *u)
{
	unsigned i;

	for (i = 0; settings_user_names[i]; i++)
		if (u->has[i])
			return false;
	for (i = 0; i < u->recent_n; i++)
		if (clock_now() - u->recent[i].at < MINUTE)
			return false;
	return u->notice_n <= dm->committed_n;
}

/* Who is last stays where he is, so that the table is never made anew: room in
 * it is there for whoever was in it. */
static bool touch(struct daemon *dm, struct user *u)
{
	if (!u->hh.next)
		return true;
	HASH_DEL(dm->users, u);
	return enter(dm, u);
}

/* The least recently needed make room: who fills the table with names must
 * not lock others out. False: none of the first few may go. */
static bool make_room(struct daemon *dm)
{
	struct user *u;
	int tries;

	for (tries = 0; tries < 16; tries++) {
		if (HASH_COUNT(dm->users) < DAEMON_USERS_MAX)
			return true;
		u = dm->users;
		if (is_idle(dm, u))
			forget(dm, u);
		else
			touch(dm, u);
	}
	return false;
}

static struct user *find(struct daemon *dm, const char *bare, bool make)
{
	struct user *u;

	HASH_FIND_STR(dm->users, bare, u);
	if (u && make)
		return touch(dm, u) ? u : NULL;
	if (u || !make || !make_room(dm))
		return u;
	u = calloc(1, sizeof(*u));
	if (u)
		u->bare = strdup(bare);
	if (!u || !u->bare) {
		free(u);
		return NULL;
	}
	return enter(dm, u) ? u : NULL;
}

void users_free(struct daemon *dm)
{
	struct user *u, *next;

	HASH_ITER(hh, dm->users, u, next)
		forget(dm, u);
}

struct settings_user users_settings(struct daemon *dm, const char *bare)
{
	struct settings_user s = dm->site.user;
	struct user *u = find(dm, bare, false);
	const char *expected;
	int i;

	for (i = 0; u && settings_user_names[i]; i++)
		if (u->has[i])
			settings_user_set(&s, settings_user_names[i],
					  settings_user_get(&u->set,
						settings_user_names[i]),
					  &expected);
	return s;
}

static int index_of(const char *name)
{
	int i;

	for (i = 0; settings_user_names[i]; i++)
		if (strcmp(settings_user_names[i], name) == 0)
			return i;
	return -1;
}

int users_restore(struct daemon *dm, const char *bare, const char *name,
		  const char *word)
{
	struct user *u;
	const char *expected;
	int i = index_of(name), rc;

	if (i < 0)
		return ENOENT;
	u = find(dm, bare, true);
	if (!u)
		return ENOMEM;
	if (!word) {
		u->has[i] = false;
		return 0;
	}
	rc = settings_user_set(&u->set, name, word, &expected);
	u->has[i] = u->has[i] || !rc;
	return rc;
}

int users_set(struct daemon *dm, const char *bare, const char *name,
	      const char *word, const char **expected_r)
{
	struct settings_user probe = dm->site.user;
	struct store_op op = { .kind = STORE_SETTING_PUT };
	int rc;

	if (word && strcmp(word, "default") == 0)
		word = NULL;
	if (index_of(name) < 0)
		return ENOENT;
	rc = word ? settings_user_set(&probe, name, word, expected_r) : 0;
	if (rc)
		return rc;
	if (dm->degraded)
		return EIO;
	op.u.setting.user = bare;
	op.u.setting.name = name;
	op.u.setting.value = word;
	hold_store(dm, &op);
	log_line(LOG_INFO, "setting changed by the admin", "user", log_jid,
		 bare, "setting", name, "to", word ? word : "default", NULL);
	return users_restore(dm, bare, name, word);
}

uint64_t *users_notice_n(struct daemon *dm, const char *bare)
{
	struct user *u = find(dm, bare, true);

	return u ? &u->notice_n : NULL;
}

static int remember(struct user *u, int64_t now, uint64_t to)
{
	unsigned cap = u->recent_cap ? u->recent_cap * 2 : 4;
	struct recent *more;

	if (u->recent_n == u->recent_cap) {
		more = realloc(u->recent, cap * sizeof(*more));
		if (!more)
			return ENOMEM;
		u->recent = more;
		u->recent_cap = cap;
	}
	u->recent[u->recent_n].at = now;
	u->recent[u->recent_n++].to = to;
	return 0;
}

static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

/* Notes that `who`, a user or a domain, calls, unless he may not by now. */
static bool is_over(struct daemon *dm, const char *who, uint64_t h,
		    unsigned most, unsigned most_pair)
{
	struct user *u = find(dm, who, true);
	int64_t now = clock_now();
	unsigned i, kept = 0, pair = 0;

	if (!u)
		return true;
	for (i = 0; i < u->recent_n; i++) {
		if (now - u->recent[i].at >= MINUTE)
			continue;
		u->recent[kept++] = u->recent[i];
		pair += u->recent[i].to == h;
	}
	u->recent_n = kept;
	if (pair >= most_pair || kept >= most || kept >= RECENT_MAX)
		return true;
	return remember(u, now, h) != 0;
}

bool users_over_limit(struct daemon *dm, const char *from, const char *to)
{
	const char *at = strchr(from, '@'), *domain = at ? at + 1 : from;
	unsigned most = dm->site.caller_per_minute;
	uint64_t h = hash(to);

	/* Another server has as many users as it likes. */
	if (!modules_find(dm, domain) &&
	    is_over(dm, domain, h, DOMAIN_TIMES * most, UINT_MAX))
		return true;
	return is_over(dm, from, h, most, dm->site.pair_per_minute);
}

static void activity(struct daemon *dm, const char *bare, bool known,
		     const struct module_facts *told, struct verdict_facts *f)
{
	f->known = told && !told->partial ? told->exists :
		   known || gateway_knows(dm->gateway, bare);
	f->active = f->known && gateway_active(dm->gateway, bare,
					       clock_wall(), &f->dnd);
}

static bool enabled(const struct daemon *dm, const struct jid *from,
		    const struct jid *to)
{
	return dm->site.enabled && modules_enabled(dm, from->domain) &&
	       modules_enabled(dm, to->domain);
}

void users_facts(const struct call_entry *e, const struct call_action *ask,
		 bool over_limit, const struct module_facts *told,
		 struct arena *arena, struct call_event *ev)
{
	struct daemon *dm = e->dm;
	unsigned others = dm->live - (e->live ? 1 : 0);
	struct verdict_facts f;
	struct leg_target *targets = NULL;
	struct jid from, to;
	size_t ops, bytes;

	memset(&f, 0, sizeof(f));
	store_thread_backlog(dm->thread, &ops, &bytes);
	if (jid_parse(arena, ask->from, &from) ||
	    jid_parse(arena, ask->to, &to))
		memset(&to, 0, sizeof(to));
	f.enabled = to.full ? enabled(dm, &from, &to) : dm->site.enabled;
	f.messaging = dm->site.messaging;
	f.draining = dm->draining;
	f.no_capacity = bytes > DAEMON_BACKLOG_BYTES || !to.full ||
			others >= dm->site.max_calls ||
			(dm->site.media != MODE_DIRECT &&
			 !media_takes_calls(dm));
	f.self = strcmp(ask->from, ask->to) == 0;
	f.caller_remote = !to.full || !address_is_local(dm->gateway, &from);
	f.callee_remote = !to.full || !address_is_local(dm->gateway, &to);
	f.same_server = !f.caller_remote && !f.callee_remote;
	f.over_limit = over_limit;
	f.caller = users_settings(dm, ask->from);
	f.callee = users_settings(dm, ask->to);
	f.contact = gateway_has_contact(dm->gateway, ask->to, ask->from) ||
		    (told && told->contact);
	f.blocked = told && told->blocked;
	f.in_call = calls_user_busy(dm, ask->to, ask->from);
	f.video = ask->media & MEDIA_VIDEO;
	activity(dm, ask->to, e->exists, told, &f);
	/* What he showed once says nothing of now. */
	if (!told && to.full && modules_has(dm, to.domain) &&
	    !gateway_is_fresh(dm->gateway, ask->to))
		f.active = f.dnd = false;
	ev->kind = CALL_EV_FACTS;
	ev->ask = ask->ask;
	ev->cause = verdict(&dm->site, &f);
	ev->offer = verdict_offer(&f);
	if (ev->cause == CAUSE_NONE)
		ev->targets_n = gateway_targets(dm->gateway, arena, ask->to,
						&targets);
	ev->targets = targets;
}
