/* source.h: sources of a description (XEP-0339) and grouping of contents
 * (XEP-0338), read only.
 */
#ifndef JINGLE_STANZA_SOURCE_H
#define JINGLE_STANZA_SOURCE_H

#include <stdint.h>
#include "jingle/stanza/stanza.h"

#define SOURCES_MAX 128            /* of one description */
#define SOURCE_PARAMETERS_MAX 32   /* of one source */
#define SOURCE_GROUPS_MAX 64       /* of one description */
#define SOURCE_GROUP_SSRCS_MAX 32  /* of one group */
#define GROUPS_MAX 16              /* of one session */
#define GROUP_NAMES_MAX 16         /* of one group, as many as contents */

struct source_parameter {
	const char *name;          /* "cname", "msid" */
	const char *value;         /* NULL: none */
};

struct source {
	uint32_t ssrc;
	unsigned parameters;
	struct source_parameter *parameter;
};

struct source_group {
	const char *semantics;     /* "FID", "SIM" */
	unsigned ssrcs;
	uint32_t *ssrc;
};

struct source_list {
	unsigned sources;
	struct source *source;
	unsigned groups;
	struct source_group *group;
};

/* Reads the sources and source groups of a <description/>. 0; EBADMSG with
 * *why: an attribute missing, blank or malformed, an SSRC described twice;
 * EOVERFLOW with *why: over a cap; ENOMEM. */
int source_parse(struct arena *a, const struct xml_elem *description,
		 struct source_list *l_r, struct why *why);

struct content_group {
	const char *semantics;     /* "BUNDLE", "LS" */
	unsigned names;
	const char *name[GROUP_NAMES_MAX];  /* of contents */
};

/* Reads the groups of a <jingle/> into an array in the arena (NULL: none).
 * Names are not compared with the contents. 0; EBADMSG, EOVERFLOW with *why;
 * ENOMEM. */
int group_parse(struct arena *a, const struct xml_elem *jingle,
		struct content_group **groups_r, unsigned *n_r,
		struct why *why);

#endif
