/* addr.c: an IP address and a UDP port as plain data (see addr.h). */
#include "jingle/media/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PORT_DNS 53

int addr_parse(const char *ip, unsigned port, struct addr *a_r)
{
	memset(a_r, 0, sizeof(*a_r));
	if (port > UINT16_MAX)
		return EBADMSG;
	if (inet_pton(AF_INET, ip, a_r->ip) == 1)
		a_r->family = ADDR_V4;
	else if (inet_pton(AF_INET6, ip, a_r->ip) == 1)
		a_r->family = ADDR_V6;
	else
		return EBADMSG;
	a_r->port = (uint16_t)port;
	return 0;
}

void addr_format_ip(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	strcpy(out, "none");
	if (a->family != ADDR_NONE)
		inet_ntop(a->family == ADDR_V4 ? AF_INET : AF_INET6, a->ip,
			  out, ADDR_TEXT_SIZE);
}

void addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	char ip[ADDR_TEXT_SIZE];

	addr_format_ip(a, ip);
	if (a->family == ADDR_NONE)
		strcpy(out, ip);
	else
		snprintf(out, ADDR_TEXT_SIZE, a->family == ADDR_V4 ?
			 "%.45s:%u" : "[%.45s]:%u", ip, (unsigned)a->port);
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, ADDR_IP_SIZE);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_ip(a, b);
}

bool addr_loopback(const struct addr *a)
{
	static const uint8_t one[ADDR_IP_SIZE] = { [ADDR_IP_SIZE - 1] = 1 };

	return a->family == ADDR_V4 ? a->ip[0] == 127 :
	       a->family == ADDR_V6 && !memcmp(a->ip, one, sizeof(one));
}

struct range {
	uint8_t family;
	uint8_t bits;              /* of ip that count */
	uint8_t ip[ADDR_IP_SIZE];
};

static const struct range forbidden[] = {
	{ ADDR_V4, 8, { 0 } },             /* this network */
	{ ADDR_V4, 8, { 127 } },           /* loopback */
	{ ADDR_V4, 16, { 169, 254 } },     /* link-local, cloud metadata */
	{ ADDR_V4, 4, { 224 } },           /* multicast */
	{ ADDR_V4, 4, { 240 } },           /* reserved, broadcast */
	{ ADDR_V6, 96, { 0 } },            /* ::, ::1, IPv4-compatible */
	{ ADDR_V6, 96, { [10] = 0xff, [11] = 0xff } },     /* IPv4-mapped */
	{ ADDR_V6, 96, { 0, 0x64, 0xff, 0x9b } },          /* NAT64 */
	{ ADDR_V6, 48, { 0, 0x64, 0xff, 0x9b, 0, 1 } },    /* local NAT64 */
	{ ADDR_V6, 16, { 0x20, 0x02 } },   /* 6to4 */
	{ ADDR_V6, 10, { 0xfe, 0x80 } },   /* link-local */
	{ ADDR_V6, 8, { 0xff } },          /* multicast */
};

static bool in_range(const struct addr *a, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	return a->family == r->family && !memcmp(a->ip, r->ip, whole) &&
	       (!rest || (a->ip[whole] & mask) == r->ip[whole]);
}

bool addr_forbidden(const struct addr *a)
{
	size_t i;

	if (a->port == 0 || a->port == PORT_DNS || a->family == ADDR_NONE)
		return true;
	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (in_range(a, &forbidden[i]))
			return true;
	return false;
}
