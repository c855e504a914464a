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

/* Is it one that a remote candidate may not make us send to? This host itself,
 * link-local, multicast, reserved; IPv6 forms that hide an IPv4 address
 * (mapped, compatible, NAT64, 6to4), for they get around a list of IPv4
 * ranges; ports 0 and 53. Private networks (RFC 1918, RFC 4193) are none of
 * them: users of one office are there. */
bool addr_forbidden(const struct addr *a);

#endif
