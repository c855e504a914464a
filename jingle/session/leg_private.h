/* leg_private.h: what the files of the leg share. */
#ifndef JINGLE_SESSION_LEG_PRIVATE_H
#define JINGLE_SESSION_LEG_PRIVATE_H

#include <string.h>
#include "jingle/session/leg.h"
#include "jingle/stanza/ns.h"

static inline bool str_eq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Replaces an owned string; a failure is kept in l->failed. */
void leg_assign(struct leg *l, char **slot, const char *value);
/* A zeroed record of `size` bytes, and behind it copies of texts (NULL: none);
 * `at`: where in the record a pointer to one stands. One block: free() ends all
 * of it. NULL: no memory, kept in l->failed. */
struct leg_text {
	size_t at;
	const char *text;
};
void *leg_record(struct leg *l, size_t size, const struct leg_text *texts,
		 size_t n);
void leg_set_state(struct leg *l, enum leg_state to);
const char *leg_address(const struct leg *l, struct arena *a);

/* leg.c: bookkeeping */
struct leg_device *leg_find_device(const struct leg *l, const char *jid);
struct leg_device *leg_add_device(struct leg *l, const char *jid);
const char *leg_device_sid(const struct leg *l, const struct leg_device *d);

/* leg_out.c: making stanzas */
struct xml_elem *leg_message(struct leg *l, struct leg_env *env,
			     const char *to, enum jmi_action action,
			     const char *sid, const char *reason,
			     const char *text);
void leg_send(struct leg *l, struct leg_env *env, struct xml_elem *stanza,
	      enum leg_class class);
/* Sends an iq set; its answer is awaited. */
void leg_ask(struct leg *l, struct leg_env *env, struct xml_elem *iq,
	     const char *device, enum jingle_action action, unsigned relay,
	     enum leg_class class);
struct xml_elem *leg_jingle(struct leg *l, struct leg_env *env,
			    const char *device, const char *sid,
			    enum jingle_action action, struct xml_elem **j_r);
/* It is back, and may ring on by the propose: its stop, if it was away when the
 * others got theirs. */
void leg_stop_late(struct leg *l, struct leg_device *d, struct leg_env *env);
void leg_terminate(struct leg *l, struct leg_env *env, const char *device,
		   const char *sid, const char *reason, const char *text);
void leg_result(struct leg_env *env, const struct stanza *s);
void leg_error(struct leg_env *env, const struct stanza *s,
	       const struct why *why);
struct leg_action *leg_tell(struct leg_env *env, enum leg_report report);

/* leg_content.c: the contents table and repair (interop.md 4.4) */
/* Learns names and creators. 0; EOVERFLOW. */
int leg_learn(struct leg *l, const struct jingle *j);
/* A copy of <jingle/> fit for the other side: real creators, pwd added, empty
 * transport-infos out; learns credentials. NULL with *empty_r: nothing is
 * left to relay. */
struct xml_elem *leg_repair_in(struct leg *l, const struct jingle *j,
			       struct arena *a, bool *empty_r);
/* Does a content-add wait for his answer? */
bool leg_owes_answer(const struct leg *l);
/* Appends the contents of `tree` to `to` as this user expects them. */
void leg_repair_out(struct leg *l, const struct xml_elem *tree,
		    enum jingle_action action, struct xml_elem *to,
		    const struct leg_env *env);
struct leg_content *leg_find_content(const struct leg *l, const char *name);
/* That word, for ever; NULL: neither "initiator" nor "responder". */
const char *leg_creator(const char *word);
struct leg_content *leg_add_content(struct leg *l, const char *name);

/* The content that he names so. */
struct leg_content *leg_find_his(const struct leg *l, const char *name);
/* A name like this one that neither has for a content yet. */
const char *leg_other_name(const struct leg *l, const struct leg *other,
			   const char *name, struct arena *a);
/* All that names a content in his `tree` names it as both legs do. */
void leg_names_in(const struct leg *l, struct xml_elem *tree, struct arena *a);

/* leg_filter.c: takes out of a content what `room` does not send on. */
void leg_filter(struct xml_elem *content);

/* leg_says.c: what was kept of a content, read. 0; ENOENT: nothing was; as
 * rtp_parse(). */
struct rtp_description;
int leg_says(const struct leg *l, const char *name,
	     struct rtp_description *d_r, struct arena *a);

/* Keeps this <description/>. */
void leg_set_says(struct leg *l, const char *name,
		  const struct xml_elem *description, struct arena *a);
/* leg_pack.c: text of a description, written by xml_write(), in fewer bytes,
 * and back; NULL: no memory. What was never packed is unpacked as it is. */
const char *leg_pack(struct arena *a, const char *text);
const char *leg_unpack(struct arena *a, const char *packed);
size_t leg_unpacked_len(const char *packed);

/* leg_dtls.c: our fingerprint into a transport of ours towards this user. */
void leg_add_print(const struct leg *l, const struct leg_content *c,
		   struct xml_elem *transport, enum jingle_action action,
		   struct arena *a);

/* leg_media.c */
/* The content that speaks for a transport; NULL: none has it. */
const struct leg_content *leg_first_of(const struct leg *l, int number);
/* The other side's transport becomes ours; its fingerprints stay (`blind`) or
 * become ours, too (`room`). */
void leg_hide(struct leg *l, const struct leg_content *c,
	      struct xml_elem *content, enum jingle_action action,
	      const struct leg_env *env);

#endif
