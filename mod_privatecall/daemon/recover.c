/* recover.c: what the store kept, back into the machines at a start (X10,
 * F01): legs of answered calls go on, ringing ones end when the link is up.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"

struct load {
	struct daemon *dm;
	char salt[64];
	unsigned calls, bad;
};

static int on_call(const struct store_call *row, void *arg)
{
	struct load *l = arg;
	struct daemon *dm = l->dm;
	struct call_entry *e;
	struct call *c;

	if (strlen(row->id) >= CALL_ID_SIZE || row->state >= CALL_STATES) {
		l->bad++;
		return 0;
	}
	e = calls_add_restored(dm, row->caller, row->callee);
	if (!e) {              /* `hosts' changed: no address stands for them */
		l->bad++;
		return 0;
	}
	c = &e->call;
	c->state = row->state;
	snprintf(c->id, sizeof(c->id), "%s", row->id);
	c->caller = (unsigned)call_side(c, row->caller);
	c->round = row->round;
	c->media = row->media;
	c->created = row->created;
	c->rung_wall = row->rung;
	c->rung = row->rung != 0;
	c->first_answer_wall = row->answered;
	c->answered_wall = row->round_answered;
	c->mode = row->mode <= MODE_ROOM ? row->mode : MODE_DIRECT;
	c->rung_at = c->answered_at = c->ended_at = clock_now();
	c->kept_at = c->up_at = clock_now();
	if (row->answered)
		c->window_end = clock_now() + row->answered +
				dm->site.room_lifetime - clock_wall();
	calls_register_id(e);
	l->calls++;
	return 0;
}

static int on_leg(const struct store_leg *row, void *arg)
{
	struct load *l = arg;
	struct call_entry *e = calls_find(l->dm, row->call);
	enum leg_role role;
	uint32_t nonce;
	int rc;

	if (!e || row->side > 1)
		return 0;
	role = row->side == e->call.caller ? LEG_CALLER : LEG_CALLEE;
	calls_random(l->dm, &nonce, sizeof(nonce));
	rc = leg_restore(&e->call.leg[row->side], role, row->state,
			 row->flags, row->device, row->sid, row->data, nonce);
	if (rc == EBADMSG) {
		l->bad++;
		e->call.leg[row->side].state = LEG_ENDED;
		return 0;
	}
	if (!rc && !e->call.leg[row->side].gateway && row->own)
		call_restore_native(&e->call, row->side, row->own);
	return rc;
}

static int on_outbox(const struct store_outbox *row, void *arg)
{
	return notices_restore(((struct load *)arg)->dm, row);
}

static int on_setting(const char *user, const char *name, const char *value,
		      void *arg)
{
	/* A setting of a later version is kept in the store and ignored. */
	int rc = users_restore(((struct load *)arg)->dm, user, name, value);

	return rc == ENOMEM ? rc : 0;
}

static int on_switch(const char *name, const char *value, void *arg)
{
	struct load *l = arg;

	if (strcmp(name, "log_salt") == 0)
		snprintf(l->salt, sizeof(l->salt), "%s", value);
	else
		switches_restore(l->dm, name, value);
	return 0;
}

static int on_contact(const struct store_contact *row, void *arg)
{
	struct gateway_contact c = {
		.user = row->user, .contact = row->contact, .to = row->to,
		.from = row->from, .ask = row->ask,
	};

	struct load *l = arg;
	int rc = gateway_restore_contact(l->dm->gateway, &c);

	/* A row that does not fit any more (another `hosts', `remote_users',
	 * a lower limit) is kept in the store and must not stop the start. */
	if (rc && rc != ENOMEM) {
		l->bad++;
		return 0;
	}
	return rc;
}

/* Hashed JIDs in the log cannot be told apart from those of other sites. */
static void make_salt(struct load *l)
{
	unsigned char r[16];
	struct store_op op = { .kind = STORE_SWITCH_PUT };
	int i;

	if (l->salt[0])
		return;
	calls_random(l->dm, r, sizeof(r));
	for (i = 0; i < 16; i++)
		snprintf(l->salt + 2 * i, 3, "%02x", r[i]);
	op.u.setting.name = "log_salt";
	op.u.setting.value = l->salt;
	hold_store(l->dm, &op);
}

static bool within(const struct leg *l, unsigned states)
{
	return states & 1u << l->state;
}

#define IS(state) (1u << (state))
#define AT_REST (IS(LEG_IDLE) | IS(LEG_ENDED))

/* The two legs can be those of a call in this state. */
static bool fits(const struct call *c)
{
	const struct leg *from = &c->leg[c->caller], *to = &c->leg[!c->caller];
	unsigned open = IS(LEG_PROCEEDED) | IS(LEG_OFFERED);

	switch (c->state) {
	case CALL_ASKING:
	case CALL_REFUSING:
		return within(from, open | IS(LEG_PROPOSED)) &&
		       within(to, AT_REST);
	case CALL_RINGING:
		return within(from, open | IS(LEG_PROPOSED)) &&
		       within(to, IS(LEG_RINGING));
	case CALL_SETUP:
		return within(from, open) && c->first_answer_wall &&
		       within(to, IS(LEG_ANSWERED) | IS(LEG_INITIATED));
	case CALL_UP:
		return call_can_be_up(c) && c->first_answer_wall;
	case CALL_IDLE:
		return false;
	default:
		return within(from, AT_REST) && within(to, AT_REST);
	}
}

/* A message may be offered (I09): by what is set now, for what was when they
 * called is not stored. */
static bool may_offer(struct daemon *dm, const struct call *c)
{
	bool site = dm->messaging_override < 0 ? dm->site.messaging :
						 dm->messaging_override;

	return site && users_settings(dm, c->leg[0].user).messages &&
	       users_settings(dm, c->leg[1].user).messages;
}

/* A call that cannot be as it was kept is over; it can be re-entered if its
 * time is not up. */
static void close_call(struct load *l, struct call *c)
{
	struct store_op op = { .kind = STORE_CALL_DEL };

	l->bad++;
	c->leg[0].state = c->leg[1].state = LEG_ENDED;
	c->state = CALL_OPEN;
	if (c->first_answer_wall)
		return;
	c->state = CALL_DONE;
	op.u.key.id = c->id;
	hold_store(l->dm, &op);
}

static void settle(struct load *l)
{
	struct daemon *dm = l->dm;
	struct call_entry *e;

	for (e = calls_next(dm, NULL); e; e = calls_next(dm, e)) {
		if (!fits(&e->call))
			close_call(l, &e->call);
		if (e->call.mode != MODE_DIRECT && call_is_live(&e->call)) {
			call_restore_media(&e->call, e->call.mode);
			dm->media_wanted = true;
		}
		e->call.offer = may_offer(dm, &e->call);
		e->call.found_over = !call_is_live(&e->call);
		calls_arm(e);
	}
}

int recover_load(struct daemon *dm, char **why_r)
{
	static const struct store_load_handlers handlers = {
		on_call, on_leg, on_outbox, on_setting, on_switch, on_contact,
	};
	struct load l = { .dm = dm };
	char calls[16], bad[16];
	int rc = dm->store->v->load(dm->store, &handlers, &l);

	if (rc) {
		if (asprintf(why_r, "%s: cannot read what was kept: %s",
			     dm->conf->database, dm->store->error[0] ?
			     dm->store->error : strerror(rc)) < 0)
			*why_r = NULL;
		return rc;
	}
	make_salt(&l);
	log_setup(dm->conf->log_privacy, l.salt);
	settle(&l);
	snprintf(calls, sizeof(calls), "%u", l.calls);
	snprintf(bad, sizeof(bad), "%u", l.bad);
	if (l.calls || l.bad)
		log_line(l.bad ? LOG_WARN : LOG_INFO, "restored", "calls",
			 calls, "unreadable", bad, NULL);
	return 0;
}
