/* addr.h: an IP address and a UDP port as plain data, so that ring 0 needs no
 * socket; and which of them nothing is ever sent to.
 */
#ifndef JINGLE_MEDIA_ADDR_H
#define JINGLE_MEDIA_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define ADDR_IP_SIZE 16
#define ADDR_TEXT_SIZE 54          /* "[IPv6 address]:65535" and NUL */

enum { ADDR_NONE, ADDR_V4, ADDR_V6 };

struct addr {
	uint16_t port;             /* host order */
	uint8_t family;            /* ADDR_ */
	uint8_t ip[ADDR_IP_SIZE];  /* network order; IPv4: four bytes, zeros */
};

/* Reads an IPv4 or IPv6 address; no name, no zone. 0 or EBADMSG. */
int addr_parse(const char *ip, unsigned port, struct addr *a_r);
/* "192.0.2.1:5000", "[2001:db8::1]:5000", "none". */
void addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE]);
/* The address alone, without its port. */
void addr_format_ip(const struct addr *a, char out[ADDR_TEXT_SIZE]);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_ip(const struct addr *a, const struct addr *b);
bool addr_loopback(const struct addr *a);  /* 127.0.0.0/8, ::1 */

/* The addresses whose first `bits` are those of `ip`. */
struct addr_range {
	uint8_t family;            /* ADDR_V4, ADDR_V6 */
	uint8_t bits;
	uint8_t ip[ADDR_IP_SIZE];  /* zeros behind the bits */
};

/* Reads "192.0.2.0/24", "2001:db8::/32", or an address for itself alone. 0,
 * EBADMSG, or EDOM: there are bits behind the prefix, and *r_r is without. */
int addr_range_parse(const char *text, struct addr_range *r_r);
void addr_range_format(const struct addr_range *r, char out[ADDR_TEXT_SIZE]);
bool addr_in_range(const struct addr *a, const struct addr_range *r);

/* What an admin says beside the list of addr_forbidden(). */
#define ADDR_RULES_MAX 64

struct addr_rule {
	struct addr_range range;
	bool allow;                /* else it is forbidden */
};

struct addr_rules {
	struct addr_rule rule[ADDR_RULES_MAX];
	unsigned n;
};

/* 0, EEXIST: there is one for this range, EOVERFLOW, EPERM: within what no rule
 * opens. */
int addr_rules_add(struct addr_rules *rules, const struct addr_range *range,
		   bool allow);

/* Is it one that a remote candidate may not make us send to? This host itself,
 * link-local, multicast, reserved; IPv6 forms that hide an IPv4 address
 * (mapped, compatible, NAT64, 6to4), for they get around a list of IPv4
 * ranges; ports 0 and 53. Private networks (RFC 1918, RFC 4193) are none of
 * them: users of one office are there. Rules (NULL: none) forbid more, and open
 * link-local, NAT64 and 6to4; the narrowest range that has an address decides,
 * a rule before the list where they are equal. */
bool addr_forbidden(const struct addr *a, const struct addr_rules *rules);
/* Parts of it: by a rule; by its port. */
bool addr_rules_forbid(const struct addr_rules *rules, const struct addr *a);
bool addr_port_forbidden(uint16_t port);

#endif
