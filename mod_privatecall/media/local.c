/* local.c: the addresses of this host (see local.h). */
#include "mod_privatecall/media/local.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "mod_privatecall/media/udp.h"

static int __attribute__((format(printf, 2, 3)))
refuse(char **why_r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(why_r, fmt, ap) < 0)
		*why_r = NULL;
	va_end(ap);
	return EBADMSG;
}

static struct ice_local *of_family(struct ice_local *local, unsigned n,
				   unsigned family)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (local[i].base.family == family)
			return &local[i];
	return NULL;
}

/* Of any port: one that a packet could be sent to. None of "all addresses"
 * (0.0.0.0): which of them is ours must be known, so that nobody has us send to
 * ourselves. */
static bool is_of_a_host(struct addr a)
{
	a.port = 1024;                     /* any that is allowed */
	return !addr_forbidden(&a, NULL);
}

static int take_told(const struct local_options *o, struct ice_local *local,
		     unsigned *n, char **why_r)
{
	const char *const *text;
	struct addr a;

	for (text = o->address; *text; text++) {
		if (addr_parse(*text, o->port, &a))
			return refuse(why_r, "--address: expected an IPv4 or "
				      "IPv6 address, not `%s'", *text);
		if (!is_of_a_host(a) && !addr_loopback(&a))
			return refuse(why_r, "--address: expected an address "
				      "of this host that others reach, not "
				      "`%s'", *text);
		if (of_family(local, *n, a.family))
			return refuse(why_r, "--address: expected one IPv4 "
				      "and one IPv6 address, not a second: "
				      "`%s'", *text);
		local[(*n)++].base = a;
	}
	return 0;
}

/* --- what is there ---------------------------------------------------- */

/* Private ones are used when there is no other. */
static bool is_private(const struct addr *a)
{
	if (a->family == ADDR_V6)
		return (a->ip[0] & 0xfe) == 0xfc;
	return a->ip[0] == 10 || (a->ip[0] == 172 && a->ip[1] >> 4 == 1) ||
	       (a->ip[0] == 192 && a->ip[1] == 168) ||
	       (a->ip[0] == 100 && a->ip[1] >> 6 == 1);
}

static bool is_usable(const struct ifaddrs *i, struct addr *a_r)
{
	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
	    i->ifa_flags & IFF_LOOPBACK ||
	    (i->ifa_addr->sa_family != AF_INET &&
	     i->ifa_addr->sa_family != AF_INET6))
		return false;
	udp_addr(i->ifa_addr, a_r);
	return is_of_a_host(*a_r);
}

static int find(uint16_t port, struct ice_local *local, unsigned *n,
		char **why_r)
{
	struct ifaddrs *all, *i;
	struct ice_local *l;
	struct addr a;

	if (getifaddrs(&all))
		return errno;
	for (i = all; i; i = i->ifa_next) {
		if (!is_usable(i, &a))
			continue;
		a.port = port;
		l = of_family(local, *n, a.family);
		if (!l)
			local[(*n)++].base = a;
		else if (is_private(&l->base) && !is_private(&a))
			l->base = a;
	}
	freeifaddrs(all);
	if (*n)
		return 0;
	refuse(why_r, "this host has no address but loopback and link-local "
	       "ones: name the one to use: --address IP");
	return EADDRNOTAVAIL;
}

/* --- how others see it ------------------------------------------------ */

static int take_public(const struct local_options *o, struct ice_local *local,
		       unsigned n, char **why_r)
{
	const char *const *text;
	struct ice_local *l;
	struct addr a;

	for (text = o->public_address; *text; text++) {
		if (addr_parse(*text, o->port, &a))
			return refuse(why_r, "--public-address: expected an "
				      "IPv4 or IPv6 address, not `%s'", *text);
		if (!is_of_a_host(a))
			return refuse(why_r, "--public-address: expected the "
				      "address that others reach, not `%s'",
				      *text);
		l = of_family(local, n, a.family);
		if (!l || l->seen.family != ADDR_NONE)
			return refuse(why_r, "--public-address: expected one "
				      "of each family that --address has: "
				      "`%s'", *text);
		if (!addr_same_ip(&a, &l->base))
			l->seen = a;
	}
	return 0;
}

/* IPv6 needs no NAT on the way: it goes first. */
static void order(struct ice_local *local, unsigned n)
{
	struct ice_local first = local[0];

	if (n == 2 && first.base.family == ADDR_V4) {
		local[0] = local[1];
		local[1] = first;
	}
}

int local_choose(const struct local_options *o,
		 struct ice_local local[ICE_LOCALS_MAX], unsigned *locals_r,
		 char **why_r)
{
	int err;

	*why_r = NULL;
	*locals_r = 0;
	memset(local, 0, ICE_LOCALS_MAX * sizeof(local[0]));
	err = take_told(o, local, locals_r, why_r);
	if (!err && !*locals_r)
		err = find(o->port, local, locals_r, why_r);
	if (!err)
		err = take_public(o, local, *locals_r, why_r);
	order(local, *locals_r);
	return err;
}
