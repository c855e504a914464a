/* notices.c: from a notice of a call to a headline its user has got (F21,
 * I08): stored with the call's end, sent when he can read it, removed when the
 * server has answered a ping sent behind it.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/delay.h"
#include "jingle/stanza/hints.h"
#include "mod_privatecall/daemon/clock.h"

struct notice_wait {               /* flushed when batch n is stored */
	struct notice_wait *next;
	uint64_t n;
	char bare[];
};

struct barrier {
	struct daemon *dm;
	char id[CALL_ID_SIZE];
};

static void put(struct daemon *dm, const struct outbox_row *row, bool sent)
{
	struct store_op op = { .kind = STORE_OUTBOX_PUT };
	struct store_outbox *o = &op.u.outbox;

	o->id = row->id;
	o->user = row->user;
	o->peer = row->peer;
	o->kind = row->kind;
	o->subject = row->subject;
	o->body = row->body;
	o->lang = row->lang;
	o->created = row->created;
	o->sent = sent;
	o->count = row->count;
	hold_store(dm, &op);
}

static void del(struct daemon *dm, const char *id)
{
	struct store_op op = { .kind = STORE_OUTBOX_DEL };

	op.u.key.id = id;
	hold_store(dm, &op);
}

struct fold {
	struct arena *arena;
	struct notice n;
};

static int fold(const struct outbox_row *newest, unsigned count,
		const char **subject_r, const char **body_r, void *arg)
{
	struct fold *f = arg;

	(void)newest;
	f->n.count = count;
	return notice_text(f->arena, &f->n, 0, subject_r, body_r);
}

/* `notices = auto`: nothing that his client shows by itself. */
static bool shown_natively(const struct notice *n)
{
	return n->kind == NOTICE_MISSED && n->cause != CAUSE_NOT_ACTIVE &&
	       n->cause != CAUSE_DND && n->cause != CAUSE_BUSY;
}

static bool wanted(struct daemon *dm, const struct notice *n)
{
	enum notices how = users_settings(dm, n->to).notices;

	/* Nobody comes back unannounced (X8). */
	return how == NOTICES_ALWAYS || n->kind == NOTICE_RETURNED ||
	       (how == NOTICES_AUTO && !shown_natively(n));
}

static void new_id(struct daemon *dm, char id[CALL_ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char r[16];
	int i;

	calls_random(dm, r, sizeof(r));        /* ids must never repeat */
	for (i = 0; i < 16; i++) {
		id[2 * i] = hex[r[i] >> 4];
		id[2 * i + 1] = hex[r[i] & 15];
	}
	id[32] = 0;
}

static void wait_for(struct daemon *dm, const char *bare)
{
	struct notice_wait *w = malloc(sizeof(*w) + strlen(bare) + 1);

	if (!w)
		return;                /* sent at his next presence */
	w->next = NULL;
	w->n = dm->open_n;
	memcpy(w->bare, bare, strlen(bare) + 1);
	if (dm->wait_last)
		dm->wait_last->next = w;
	else
		dm->wait_first = w;
	dm->wait_last = w;
}

/* No notices for users the server does not know: a caller who tries names must
 * not fill the outbox. Whoever was rung, or called before a restart, was known,
 * though he may not be yet. */
static bool known(struct daemon *dm, const struct notice *n,
		  const struct call_entry *e)
{
	return e->call.rung || e->exists || n->cause == CAUSE_RESTART ||
	       gateway_knows(dm->gateway, n->to);
}

void notices_add(struct daemon *dm, const struct notice *n,
		 struct call_entry *e, struct arena *arena)
{
	struct fold f = { .arena = arena, .n = *n };
	struct outbox_change change;
	struct outbox_row row;
	char id[CALL_ID_SIZE];
	uint64_t *last;
	unsigned i;

	if (!known(dm, n, e) || !wanted(dm, n))
		return;
	memset(&row, 0, sizeof(row));
	new_id(dm, id);
	row.id = id;
	row.user = n->to;
	row.peer = n->peer;
	row.kind = notice_kind_name(n->kind);
	row.lang = "en";
	row.created = clock_wall();
	row.count = 1;
	if (notice_text(arena, n, 0, &row.subject, &row.body) ||
	    outbox_add(dm->outbox, &row, fold, &f, &change)) {
		log_line(LOG_ERROR, "out of memory for a notice", NULL);
		return;
	}
	dm->count.notices++;
	if (change.put)
		put(dm, change.put, false);
	if (change.merged)
		put(dm, change.merged, change.merged->sent);
	for (i = 0; i < change.dels; i++)
		del(dm, change.del[i]);
	e->pending_n = dm->open_n;
	last = users_notice_n(dm, n->to);
	if (last)
		*last = dm->open_n;
	wait_for(dm, n->to);
}

static void done(bool ok, void *arg)
{
	struct barrier *b = arg;

	if (ok && outbox_done(b->dm->outbox, b->id))
		del(b->dm, b->id);
	free(b);
}

static struct xml_elem *headline(struct daemon *dm, struct arena *a,
				 const struct outbox_row *row)
{
	struct xml_elem *m = stanza_new(a, STANZA_MESSAGE, "headline",
					row->id, dm->conf->domain, row->user);

	xml_set_ns(a, m, NS_XML, "lang", row->lang ? row->lang : "en");
	if (row->subject)
		xml_add_text(a, xml_add(a, m, NULL, "subject"), row->subject);
	xml_add_text(a, xml_add(a, m, NULL, "body"), row->body);
	hints_add_origin_id(a, m, row->id);
	/* What an earlier process made it may have sent as well. */
	if (row->sent || row->created < dm->started ||
	    clock_wall() - row->created > 60000)
		delay_add(a, m, dm->conf->domain, row->created, NULL);
	return m;
}

static bool send_one(struct daemon *dm, const struct outbox_row *row)
{
	struct barrier *b = calloc(1, sizeof(*b));
	const struct xml_elem *m;
	bool ok = false;

	if (b) {
		b->dm = dm;
		snprintf(b->id, sizeof(b->id), "%s", row->id);
		if (row->sent)
			dm->count.notices_again++;
		m = headline(dm, dm->written, row);
		ok = !arena_failed(dm->written) &&
		     !link_send(dm->link, m, false) &&
		     !link_barrier(dm->link, done, b);
		arena_reset(dm->written);
	}
	if (ok)
		put(dm, row, true);    /* a second copy carries a delay */
	else
		free(b);
	return ok;
}

/* A row once taken for sending waits for its barrier: it is not taken where
 * the link's queue may have no room for both. */
static bool has_room(struct daemon *dm)
{
	struct link_counters lc;

	link_counters(dm->link, &lc);
	return lc.queued_bytes < LINK_QUEUE_BYTES / 2;
}

void notices_flush(struct daemon *dm, const char *bare)
{
	const struct outbox_row *row;
	uint64_t *last;

	if (!outbox_has(dm->outbox, bare) ||
	    link_state(dm->link) != LINK_UP ||
	    !gateway_can_read(dm->gateway, bare))
		return;
	last = users_notice_n(dm, bare);
	if (!last || !hold_stored(dm, *last))
		return;                /* comes again when it is stored */
	if (!has_room(dm)) {
		wait_for(dm, bare);
		return;
	}
	while ((row = outbox_next(dm->outbox, bare)))
		if (!send_one(dm, row)) {
			outbox_unsend(dm->outbox, row->id);
			break;
		}
}

/* A batch was stored: whoever waited for it. */
void notices_committed(struct daemon *dm)
{
	struct notice_wait *w, *last = dm->wait_last;

	/* Up to the last one now: who finds no room joins the end. */
	while (last && (w = dm->wait_first) && hold_stored(dm, w->n)) {
		dm->wait_first = w->next;
		if (!w->next)
			dm->wait_last = NULL;
		if (w == last)
			last = NULL;
		notices_flush(dm, w->bare);
		free(w);
	}
}

void notices_free(struct daemon *dm)
{
	struct notice_wait *w;

	while ((w = dm->wait_first)) {
		dm->wait_first = w->next;
		free(w);
	}
	dm->wait_last = NULL;
}

void notices_link_lost(struct daemon *dm)
{
	outbox_requeue(dm->outbox);
}

void notices_expire(struct daemon *dm)
{
	int64_t before = clock_wall() - dm->conf->keep_notices;
	const char *id;

	while ((id = outbox_expire(dm->outbox, before)))
		del(dm, id);
}

int notices_restore(struct daemon *dm, const struct store_outbox *row)
{
	struct outbox_row r = {
		.id = row->id, .user = row->user, .peer = row->peer,
		.kind = row->kind, .subject = row->subject,
		.body = row->body, .lang = row->lang,
		.created = row->created, .count = row->count,
		.sent = row->sent,
	};

	return outbox_restore(dm->outbox, &r);
}
