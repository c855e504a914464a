/* user.c: what people do: they call, come and go, block, change settings; the
 * admin turns switches; and a third party sends whatever is legal, with the
 * ids of others' calls.
 */
#include <stdlib.h>
#include "jingle/stanza/ns.h"
#include "tests/sim/sim.h"

#define SIDS 64

static char used[SIDS][SID_SIZE];  /* ids that were seen, to be reused */
static unsigned used_n, gap;
static unsigned last_pair[2];
static bool has_pair;

static struct device *any_device(unsigned user)
{
	struct user *u = &W.user[user];

	return &u->device[below(R_USER, u->devices)];
}

static struct device *online_device(unsigned user)
{
	struct user *u = &W.user[user];
	unsigned at = below(R_USER, u->devices), i;
	struct device *d;

	for (i = 0; i < u->devices; i++) {
		d = &u->device[(at + i) % u->devices];
		if (d->online)
			return d;
	}
	return NULL;
}

/* --- making them ------------------------------------------------------ */

static void make_device(struct user *u, unsigned user, unsigned i)
{
	static const int priorities[] = { 0, 0, 0, 0, 5, 10, -1 };
	struct device *d = &u->device[i];

	memset(d, 0, sizeof(*d));
	d->user = (uint8_t)user;
	d->number = (uint8_t)i;
	snprintf(d->jid, sizeof(d->jid), "%s/zq%c%u", u->bare, 'a' + user, i);
	d->quirk = (enum quirk)below(R_USER, QUIRKS);
	if (d->quirk == Q_PLAIN && below(R_USER, 2))
		d->quirk = Q_CONVERSATIONS;
	d->caps = below(R_USER, 5) > 0;
	d->priority = priorities[below(R_USER, 7)];
	d->show = below(R_USER, 5) ? 0 : (int)below(R_USER, 5);
}

static void store_row(struct store_batch *b, const struct user *u, unsigned a)
{
	struct store_op op = { .kind = STORE_CONTACT_PUT };

	op.u.contact.user = u->bare;
	op.u.contact.contact = a == SERVICE ? DOMAIN : W.user[a].contact;
	op.u.contact.to = u->sub_to[a];
	op.u.contact.from = u->sub_from[a];
	if (store_batch_add(b, &op))
		abort();
}

static void make_user(struct user *u, unsigned user)
{
	static const char *const names[USERS] = { "ann", "bob", "cid", "dan",
						  "eve" };
	unsigned i;

	memset(u, 0, sizeof(*u));
	snprintf(u->name, sizeof(u->name), "%s", names[user]);
	snprintf(u->bare, sizeof(u->bare), "%s@" HOST, names[user]);
	snprintf(u->contact, sizeof(u->contact), "%s@" DOMAIN, names[user]);
	u->stored_end = &u->stored;
	u->devices = (uint8_t)(1 + below(R_USER, DEVICES));
	u->who = WHO_SERVER;
	u->messages = true;
	for (i = 0; i < u->devices; i++)
		make_device(u, user, i);
}

/* They have known the service for long: their rows are in the store. */
static void make_rosters(void)
{
	struct store_batch *b = store_batch_new();
	struct user *u;
	unsigned a;

	for (u = W.user; u < W.user + W.users_n; u++)
		for (a = 0; a < ADDRESSES; a++) {
			if (a < USERS && (a >= W.users_n ||
					  &W.user[a] == u ||
					  below(R_USER, 3) == 0))
				continue;
			u->sub_to[a] = true;
			u->sub_from[a] = a == SERVICE || below(R_USER, 3);
			store_row(b, u, a);
		}
	world_stored(b);
}

void user_make(void)
{
	unsigned u, i;

	used_n = 0;
	has_pair = false;
	W.users_n = 2 + below(R_USER, USERS - 1);
	gap = 1000 + below(R_USER, below(R_USER, 2) ? 60000 : 8000);
	for (u = 0; u < W.users_n; u++)
		make_user(&W.user[u], u);
	make_rosters();
	for (u = 0; u < W.users_n; u++)
		for (i = 0; i < W.user[u].devices; i++)
			if (below(R_USER, 8))
				world_event(W.now + 500 + below(R_USER, 900),
					    E_LOGIN, u * DEVICES + i, NULL);
}

/* --- calling ---------------------------------------------------------- */

static void remember_sid(const char *sid)
{
	snprintf(used[used_n++ % SIDS], SID_SIZE, "%s", sid);
}

static const char *old_sid(void)
{
	unsigned n = used_n < SIDS ? used_n : SIDS;

	return n ? used[below(R_USER, n)] : NULL;
}

static void new_sid(char sid[SID_SIZE])
{
	snprintf(sid, SID_SIZE, "%012llx",
		 (unsigned long long)(chance(R_USER) >> 16));
}

static void call(unsigned from, unsigned to)
{
	struct device *d = online_device(from);
	const char *reused = strikes(F_REUSE) ? old_sid() : NULL;
	char sid[SID_SIZE];

	new_sid(sid);
	if (reused)
		snprintf(sid, sizeof(sid), "%s", reused);
	remember_sid(sid);
	if (d)
		client_call(d, to, sid);
}

/* Both at once, and a third device of one of them: F12. */
static void glare(unsigned from, unsigned to)
{
	unsigned i, n = 1 + below(R_USER, 2);
	struct device *d;
	char sid[SID_SIZE];

	for (i = 0; i < n; i++) {
		d = online_device(i ? (below(R_USER, 2) ? from : to) : to);
		new_sid(sid);
		if (d)
			client_call(d, d->user == to ? from : to,
				    below(R_USER, 30) ? sid : old_sid());
		remember_sid(sid);
	}
}

static void somebody_calls(void)
{
	unsigned from = below(R_USER, W.users_n);
	unsigned to = below(R_USER, W.users_n), odd = below(R_USER, 100);

	if (has_pair && odd < 35) {
		from = last_pair[odd & 1];
		to = last_pair[!(odd & 1)];
	}
	if (odd >= 98)
		to = UNKNOWN_USER;
	else if (to == from && odd > 5)
		to = (from + 1) % W.users_n;
	call(from, to);
	if (to >= USERS)
		return;
	if (from != to && strikes(F_GLARE))
		glare(from, to);
	last_pair[0] = from;
	last_pair[1] = to;
	has_pair = true;
}

/* --- coming and going ------------------------------------------------- */

static void somebody_moves(void)
{
	struct device *d = any_device(below(R_USER, W.users_n));

	if (!d->online) {
		client_login(d);
	} else if (strikes(F_VANISH)) {
		say("## %s vanishes", d->jid);
		client_logout(d, false);
		world_event(W.now + below(R_FAULT, 40000), E_GONE,
			    d->user * DEVICES + d->number, NULL);
		if (below(R_FAULT, 2))
			world_event(W.now + below(R_FAULT, 20000), E_LOGIN,
				    d->user * DEVICES + d->number, NULL);
	} else if (below(R_USER, 4) == 0) {
		client_logout(d, true);
		world_event(W.now + below(R_USER, 90000), E_LOGIN,
			    d->user * DEVICES + d->number, NULL);
	} else {
		d->show = below(R_USER, 3) ? 0 : (int)below(R_USER, 5);
		client_presence(d);
	}
}

static void somebody_blocks(void)
{
	unsigned u = below(R_USER, W.users_n), a = below(R_USER, W.users_n);
	struct user *who = &W.user[u];
	unsigned i;

	if (a == u)
		return;
	who->blocks[a] = !who->blocks[a];
	say("## %s %s %s", who->bare, who->blocks[a] ? "blocks" : "unblocks",
	    W.user[a].contact);
	for (i = 0; i < who->devices; i++)
		if (who->device[i].presence && who->sub_from[a])
			server_block_presence(&who->device[i], a);
}

static void somebody_subscribes(void)
{
	static const char *const types[] = {
		"subscribe", "unsubscribe", "unsubscribed", "subscribe",
	};
	unsigned u = below(R_USER, W.users_n), a = below(R_USER, W.users_n);

	if (u != a)
		server_roster(u, a, types[below(R_USER, 4)]);
}

/* --- settings and switches -------------------------------------------- */

static void set_one(unsigned u, const char *name, const char *word)
{
	const char *expected;

	say("## %s: %s = %s", W.user[u].bare, name, word);
	turn_begin();
	if (users_set(W.dm, W.user[u].bare, name, word, &expected))
		say("  (refused)");
	turn_end();
}

static void somebody_sets(void)
{
	static const char *const words[4][4] = {
		{ "everyone", "server", "contacts", "nobody" },
		{ "yes", "no", "yes", "no" },
		{ "waiting", "busy", "busy", "waiting" },
		{ "always", "auto", "never", "always" },
	};
	unsigned u = below(R_USER, W.users_n), i = below(R_USER, 4);

	if (W.running && !W.leaving)
		set_one(u, settings_user_names[i],
			words[i][below(R_USER, 4)]);
}

static void flip(const char *name, int value)
{
	if (!W.running || W.leaving)
		return;
	say("## switch %s: %d", name, value);
	turn_begin();
	if (switches_set(W.dm, name, value))
		say("  (refused)");
	turn_end();
}

static void admin_acts(void)
{
	struct call_event ev = { .kind = CALL_EV_HANGUP };
	struct call_entry *e = NULL;
	unsigned n = below(R_USER, 4);

	if (!W.running || W.leaving)
		return;
	if (strikes(F_HANGUP)) {
		for (e = calls_next(W.dm, NULL); e && n--;)
			e = calls_next(W.dm, e);
		if (!e)
			return;
		say("## the admin ends call %s", e->call.id);
		watch_admin(e->call.leg[0].user, e->call.leg[1].user);
		turn_begin();
		calls_event(e, &ev, W.dm->arena);
		arena_reset(W.dm->arena);
		turn_end();
	} else if (strikes(F_DRAIN)) {
		say("## drain");
		W.draining = true;
		turn_begin();
		daemon_drain(W.dm);
		turn_end();
	}
}

/* --- the attacker ----------------------------------------------------- */

/* An id of a call that is not his: of a caller, or ours to a callee. */
static const char *stolen_sid(void)
{
	const char *sid = watch_any_sid(below(R_ATTACK, 1000));

	return sid && below(R_ATTACK, 8) ? sid : "no-such-sid";
}

/* Who he is: another user, another domain, or another resource of one who is
 * in the call, which its device is not. */
static const char *villain(char *to, size_t cap)
{
	struct user *u = &W.user[below(R_ATTACK, W.users_n)];

	switch (below(R_ATTACK, 3)) {
	case 0:
		return "mal@" HOST "/evil";
	case 1:
		return "out@evil.test/x";
	default:
		snprintf(to, cap, "%s/other", u->bare);
		return to;
	}
}

void attack(void)
{
	static const char *const jmis[] = {
		"proceed", "accept", "reject", "retract", "ringing", "finish",
	};
	static const char *const jingles[] = {
		"session-accept", "session-terminate", "transport-info",
		"session-info", "content-add", "content-modify",
		"transport-replace", "description-info", "security-info",
	};
	struct user *u = &W.user[below(R_ATTACK, W.users_n)];
	char from[64], text[1024];
	const char *who = villain(from, sizeof(from)), *sid = stolen_sid();
	unsigned id = below(R_ATTACK, 1000000);
	struct scan s;

	if (below(R_ATTACK, 2))
		snprintf(text, sizeof(text), "<message type='chat' "
			 "id='att%u' from='%s' to='%s%s'><%s xmlns='" NS_JMI
			 "' id='%s'/></message>", id, who, u->contact,
			 below(R_ATTACK, 2) ? "/call" : "",
			 jmis[below(R_ATTACK, 6)], sid);
	else
		snprintf(text, sizeof(text), "<iq type='set' id='att%u' "
			 "from='%s' to='%s/call'><jingle xmlns='" NS_JINGLE
			 "' action='%s' sid='%s'>%s</jingle></iq>", id, who,
			 u->contact, jingles[below(R_ATTACK, 9)], sid,
			 below(R_ATTACK, 2) ? "<content creator='initiator' "
			 "name='a'><transport xmlns='" NS_ICE_UDP "' "
			 "ufrag='evil' pwd='evilevilevilevilevilev'/>"
			 "</content>" : "");
	if (!W.link_up || W.hole)
		return;
	W.attacker = who;
	W.count.attacks++;
	scan_text(&s, text, strlen(text));
	world_inject(&s);
}

/* --- what next -------------------------------------------------------- */

void user_acts(void)
{
	unsigned n;

	if (W.resting)
		return;
	n = below(R_USER, 100);
	if (n < 62)
		somebody_calls();
	else if (n < 90)
		somebody_moves();
	if (strikes(F_BLOCK))
		somebody_blocks();
	if (strikes(F_SETTING))
		somebody_sets();
	if (strikes(F_ROSTER))
		somebody_subscribes();
	if (W.running && W.dm->enabled_override == 0 && below(R_USER, 3) == 0)
		flip("enabled", 1);
	else if (strikes(F_SWITCH))
		flip(below(R_USER, 2) ? "enabled" : "messaging",
		     (int)below(R_USER, 3) - 1 ? 0 : 1);
	admin_acts();
	if (strikes(F_ATTACK))
		attack();
	world_event(W.now + 100 + below(R_USER, gap), E_USER, 0, NULL);
}
