/* outbox.h: notices waiting for their users; ring 0, mirrors the store.
 *
 * A notice is given to the link when its user has a resource to read it, and
 * removed when the server has answered a ping sent after it. Several missed
 * calls of one peer are folded into one with a count. At most `cap` per user:
 * over that the two oldest become one whose body has both, the newest
 * OUTBOX_BODY_MAX bytes of it in full.
 */
#ifndef MOD_PRIVATECALL_NOTICE_OUTBOX_H
#define MOD_PRIVATECALL_NOTICE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_BODY_MAX 8192       /* bytes of a merged body */

struct outbox;

struct outbox_row {
	const char *id, *user, *peer, *kind, *subject, *body, *lang;
	int64_t created;           /* wall ms */
	unsigned count;
	bool sent;                 /* given to a link before (a crash between
				      makes a second copy, with delay) */
	bool sending;              /* given to this link, ping not answered */
};

struct outbox *outbox_new(unsigned cap);               /* NULL: no memory */
void outbox_free(struct outbox *o);

/* What the caller must store: rows to put and ids to delete, in order. */
struct outbox_change {
	const struct outbox_row *put;  /* NULL: none. Valid until next call */
	const struct outbox_row *merged;   /* NULL: none; put it too */
	const char *del[64];
	unsigned dels;
};

/* Adds a notice. When it folds others into itself (same user, peer and kind
 * "missed", not being sent), those are deleted and `fold` is asked for the new
 * text with the summed count. Nothing is changed on an error: 0, ENOMEM. */
typedef int outbox_fold_h(const struct outbox_row *newest, unsigned count,
			  const char **subject_r, const char **body_r,
			  void *arg);
int outbox_add(struct outbox *o, const struct outbox_row *row,
	       outbox_fold_h *fold, void *arg, struct outbox_change *ch_r);
/* Restores a row from the store. */
int outbox_restore(struct outbox *o, const struct outbox_row *row);

/* The next row to send to `user`, marked as being sent; NULL: none. Rows made
 * by a batch that is not committed yet are held by the caller's own queue,
 * not here. */
const struct outbox_row *outbox_next(struct outbox *o, const char *user);
/* It could not be sent after all: it waits again (false: unknown id). */
bool outbox_unsend(struct outbox *o, const char *id);
/* The ping was answered: the row is gone (false: unknown id). */
bool outbox_done(struct outbox *o, const char *id);
/* The link was lost: what was being sent waits again. */
void outbox_requeue(struct outbox *o);
/* Removes one row older than `before`; its id, or NULL. Valid until the next
 * call. */
const char *outbox_expire(struct outbox *o, int64_t before);
bool outbox_has(const struct outbox *o, const char *user);
size_t outbox_count(const struct outbox *o);

#endif
