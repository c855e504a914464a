/* local.h: which addresses of this host privatecall-media uses, one of each
 * family: those it was told, else those that it finds.
 */
#ifndef MOD_PRIVATECALL_MEDIA_LOCAL_H
#define MOD_PRIVATECALL_MEDIA_LOCAL_H

#include "jingle/media/ice.h"

struct local_options {
	const char *address[ICE_LOCALS_MAX + 1];   /* ends with NULL */
	const char *public_address[ICE_LOCALS_MAX + 1];
	uint16_t port;             /* 0: a free one */
};

/* Fills local[].base and .seen, the better family (IPv6) first; ports of base
 * and seen are `port`. 0, or EBADMSG or another errno with the line that says
 * what to do (free() it). */
int local_choose(const struct local_options *o,
		 struct ice_local local[ICE_LOCALS_MAX], unsigned *locals_r,
		 char **why_r);

#endif
