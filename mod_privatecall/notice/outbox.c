/* outbox.c: notices in memory, one list per user (see outbox.h). */
#include "mod_privatecall/notice/outbox.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1        /* what found no room has no hh.tbl */
#include <uthash.h>
#include <utlist.h>

struct item {
	struct outbox_row row;
	struct item *prev, *next;  /* of its user, oldest first */
	struct box *box;
	UT_hash_handle hh;         /* by id */
	bool restored;             /* an earlier process may have sent it */
	char *strings;
};

struct box {
	UT_hash_handle hh;         /* by user */
	struct item *items;
	unsigned n;
	char user[];
};

struct outbox {
	struct box *boxes;
	struct item *by_id;
	unsigned cap;
	char expired[64];
	char deleted[64][40];      /* ids of the last change */
};

struct outbox *outbox_new(unsigned cap)
{
	struct outbox *o = calloc(1, sizeof(*o));

	if (o)
		o->cap = cap ? cap : 1;
	return o;
}

static void drop(struct outbox *o, struct item *it)
{
	struct box *b = it->box;

	HASH_DELETE(hh, o->by_id, it);
	DL_DELETE(b->items, it);
	free(it->strings);
	free(it);
	if (--b->n)
		return;
	HASH_DELETE(hh, o->boxes, b);
	free(b);
}

void outbox_free(struct outbox *o)
{
	struct item *it, *next;

	if (!o)
		return;
	HASH_ITER(hh, o->by_id, it, next)
		drop(o, it);
	free(o);
}

static struct box *find_box(struct outbox *o, const char *user, bool make)
{
	struct box *b;

	HASH_FIND_STR(o->boxes, user, b);
	if (b || !make)
		return b;
	b = calloc(1, sizeof(*b) + strlen(user) + 1);
	if (!b)
		return NULL;
	strcpy(b->user, user);
	HASH_ADD_STR(o->boxes, user, b);
	if (b->hh.tbl)
		return b;
	free(b);
	return NULL;
}

/* Copies of all strings of a row in one block. */
static char *copy_row(struct outbox_row *to, const struct outbox_row *from)
{
	const char *in[] = { from->id, from->user, from->peer, from->kind,
			     from->subject, from->body, from->lang };
	const char **out[] = { &to->id, &to->user, &to->peer, &to->kind,
			       &to->subject, &to->body, &to->lang };
	size_t i, n = 1, len;
	char *block, *at;

	for (i = 0; i < 7; i++)
		n += in[i] ? strlen(in[i]) + 1 : 0;
	at = block = malloc(n);
	if (!block)
		return NULL;
	*to = *from;
	for (i = 0; i < 7; i++) {
		*out[i] = in[i] ? at : NULL;
		if (!in[i])
			continue;
		len = strlen(in[i]) + 1;
		memcpy(at, in[i], len);
		at += len;
	}
	return block;
}

static struct item *insert(struct outbox *o, const struct outbox_row *row)
{
	struct box *b = find_box(o, row->user, true);
	struct item *it = calloc(1, sizeof(*it));

	if (b && it)
		it->strings = copy_row(&it->row, row);
	if (it && it->strings)
		HASH_ADD_KEYPTR(hh, o->by_id, it->row.id, strlen(it->row.id),
				it);
	if (it && it->hh.tbl) {
		it->box = b;
		DL_APPEND(b->items, it);
		b->n++;
		return it;
	}
	if (it)
		free(it->strings);
	free(it);
	if (b && !b->n) {
		HASH_DELETE(hh, o->boxes, b);
		free(b);
	}
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void drop_row(struct outbox *o, struct item *it,
		     struct outbox_change *ch)
{
	if (ch->dels < 64) {
		strncpy(o->deleted[ch->dels], it->row.id,
			sizeof(o->deleted[0]) - 1);
		ch->del[ch->dels] = o->deleted[ch->dels];
		ch->dels++;
	}
	drop(o, it);
}

/* Nobody can have it, so that its text may still change. */
static bool is_unsent(const struct item *it)
{
	return !it->row.sending && !it->row.sent && !it->restored;
}

/* Not one that may have been sent before: a second copy must carry the same
 * id (I08). */
static bool folds(const struct outbox_row *row, const struct item *it)
{
	return is_unsent(it) && same(row->kind, "missed") &&
	       same(it->row.kind, "missed") && same(it->row.peer, row->peer);
}

/* Calls that a new missed one folds into itself. */
static unsigned count_folded(struct outbox *o, const struct outbox_row *row)
{
	struct box *b = find_box(o, row->user, false);
	struct item *it;
	unsigned n = 0;

	for (it = b ? b->items : NULL; it; it = it->next)
		if (folds(row, it))
			n += it->row.count;
	return n;
}

static void drop_folded(struct outbox *o, const struct outbox_row *row,
			struct outbox_change *ch)
{
	struct box *b = find_box(o, row->user, false);
	struct item *it, *next;
	bool last;

	for (it = b ? b->items : NULL; it; it = next) {
		next = it->next;
		last = b->n == 1;
		if (folds(row, it) && ch->dels < 64)
			drop_row(o, it, ch);
		if (last)
			break;         /* the box may be gone */
	}
}

/* One body of two; of what is too long the oldest part gives way. */
static char *merge_bodies(const char *older, const char *newer)
{
	size_t have = strlen(newer), room, len = strlen(older);
	char *body = malloc(len + have + 8);

	if (!body)
		return NULL;
	room = have + 1 < OUTBOX_BODY_MAX ? OUTBOX_BODY_MAX - have - 1 : 0;
	if (len > room) {
		older += len - room;
		while (*older && *older != '\n')
			older++;       /* whole lines only */
		older += *older == '\n';
	}
	snprintf(body, len + have + 8, "%s%s%s", older, *older ? "\n" : "",
		 newer);
	return body;
}

/* The two oldest that nobody can have become one. */
static void merge_oldest(struct outbox *o, struct box *b,
			 struct outbox_change *ch)
{
	struct item *a = b->items, *c;
	struct outbox_row r;
	char *body, *strings;

	while (a && !is_unsent(a))
		a = a->next;
	for (c = a ? a->next : NULL; c && !is_unsent(c);)
		c = c->next;
	body = c && ch->dels < 64 ? merge_bodies(a->row.body, c->row.body) :
				    NULL;
	if (!body)
		return;
	r = c->row;
	r.body = body;
	r.subject = "Notices";
	r.kind = "folded";
	r.count += a->row.count;
	strings = copy_row(&r, &r);
	free(body);
	if (!strings)
		return;
	free(c->strings);
	c->strings = strings;
	c->row = r;
	c->hh.key = c->row.id;         /* the same text elsewhere */
	drop_row(o, a, ch);
	ch->merged = &c->row;
}

int outbox_add(struct outbox *o, const struct outbox_row *row,
	       outbox_fold_h *fold, void *arg, struct outbox_change *ch_r)
{
	struct outbox_row r = *row;
	struct item *it;
	unsigned folded = count_folded(o, row);
	int rc;

	memset(ch_r, 0, sizeof(*ch_r));
	memset(o->deleted, 0, sizeof(o->deleted));
	if (folded) {
		r.count += folded;
		rc = fold(row, r.count, &r.subject, &r.body, arg);
		if (rc)
			return rc;
	}
	r.sent = r.sending = false;
	it = insert(o, &r);
	if (!it)
		return ENOMEM;
	it->row.sending = true;        /* not to be folded into itself */
	drop_folded(o, row, ch_r);
	if (it->box->n > o->cap)
		merge_oldest(o, it->box, ch_r);
	it->row.sending = false;
	ch_r->put = &it->row;
	return 0;
}

bool outbox_unsend(struct outbox *o, const char *id)
{
	struct item *it;

	HASH_FIND(hh, o->by_id, id, strlen(id), it);
	if (it)
		it->row.sending = false;
	return it != NULL;
}

int outbox_restore(struct outbox *o, const struct outbox_row *row)
{
	struct outbox_row r = *row;
	struct item *it;

	r.sending = false;
	it = insert(o, &r);
	if (!it)
		return ENOMEM;
	it->restored = true;
	return 0;
}

const struct outbox_row *outbox_next(struct outbox *o, const char *user)
{
	struct box *b = find_box(o, user, false);
	struct item *it;

	for (it = b ? b->items : NULL; it; it = it->next)
		if (!it->row.sending) {
			it->row.sending = true;
			return &it->row;
		}
	return NULL;
}

bool outbox_done(struct outbox *o, const char *id)
{
	struct item *it;

	HASH_FIND(hh, o->by_id, id, strlen(id), it);
	if (!it)
		return false;
	drop(o, it);
	return true;
}

void outbox_requeue(struct outbox *o)
{
	struct item *it;

	for (it = o->by_id; it; it = it->hh.next)
		if (it->row.sending) {
			it->row.sending = false;
			it->row.sent = true;
		}
}

const char *outbox_expire(struct outbox *o, int64_t before)
{
	struct item *it;

	for (it = o->by_id; it; it = it->hh.next)
		if (it->row.created < before && !it->row.sending) {
			strncpy(o->expired, it->row.id,
				sizeof(o->expired) - 1);
			drop(o, it);
			return o->expired;
		}
	return NULL;
}

bool outbox_has(const struct outbox *o, const char *user)
{
	struct box *b;

	HASH_FIND_STR(o->boxes, user, b);
	return b != NULL;
}

size_t outbox_count(const struct outbox *o)
{
	return HASH_COUNT(o->by_id);
}
