/* iq.h: outstanding IQs, matched by id AND the address asked, with a time
 * limit. Ring 0: time comes as a parameter (monotonic ms).
 */
#ifndef MOD_PRIVATECALL_LINK_IQ_H
#define MOD_PRIVATECALL_LINK_IQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iq_table;

/* An asked IQ: what the asker wants to get back with the answer. */
struct iq_asked {
	char *id, *to;             /* owned by the table */
	int64_t deadline;
	unsigned kind;             /* asker's */
	char *context;             /* asker's, e.g. a call id; may be NULL */
	unsigned number;           /* asker's, e.g. a side */
};

struct iq_table *iq_table_new(size_t cap);            /* NULL: no memory */
void iq_table_free(struct iq_table *t);
/* 0; EEXIST: (id, to) is outstanding already; EOVERFLOW: cap, or id and to
 * together over 4 KiB; ENOMEM. */
int iq_table_add(struct iq_table *t, const char *id, const char *to,
		 int64_t deadline, unsigned kind, const char *context,
		 unsigned number);
/* Takes the entry an answer belongs to: `from` must be the JID asked (an
 * asked bare or domain JID answers as itself). NULL: nothing of ours (the
 * answer is ignored and counted by the caller), also for an absent id or
 * from (NULL). Compared byte by byte: both must be prepared addresses. Free
 * with iq_asked_free. */
struct iq_asked *iq_table_take(struct iq_table *t, const char *id,
			       const char *from);
/* Takes one entry whose deadline is <= now, the earliest first, equal ones in
 * the order of adding; NULL: none. */
struct iq_asked *iq_table_expire(struct iq_table *t, int64_t now);
int64_t iq_table_deadline(const struct iq_table *t);  /* INT64_MAX: none */
void iq_asked_free(struct iq_asked *q);
size_t iq_table_count(const struct iq_table *t);

#endif
