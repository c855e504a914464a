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

/* --- ranges ----------------------------------------------------------- */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	return !memcmp(a, b, whole) &&
	       (!rest || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool addr_in_range(const struct addr *a, const struct addr_range *r)
{
	return a->family == r->family && same_bits(a->ip, r->ip, r->bits);
}

/* Decimal, up to `max`, without sign or zeros before it. */
static bool read_bits(const char *text, unsigned max, unsigned *bits_r)
{
	unsigned n = 0;

	if (!*text || (*text == '0' && text[1]))
		return false;
	for (; *text >= '0' && *text <= '9' && n <= max; text++)
		n = n * 10 + (unsigned)(*text - '0');
	*bits_r = n;
	return !*text && n <= max;
}

int addr_range_parse(const char *text, struct addr_range *r_r)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char ip[ADDR_TEXT_SIZE];
	struct addr a;
	unsigned bits;

	if (len >= sizeof(ip))
		return EBADMSG;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (addr_parse(ip, 0, &a))
		return EBADMSG;
	bits = a.family == ADDR_V4 ? 32 : 128;
	if (slash && !read_bits(slash + 1, bits, &bits))
		return EBADMSG;
	memset(r_r, 0, sizeof(*r_r));
	r_r->family = a.family;
	r_r->bits = (uint8_t)bits;
	memcpy(r_r->ip, a.ip, (bits + 7) / 8);
	if (bits % 8)
		r_r->ip[bits / 8] &= (uint8_t)(0xff00u >> bits % 8);
	return memcmp(r_r->ip, a.ip, sizeof(a.ip)) ? EDOM : 0;
}

void addr_range_format(const struct addr_range *r, char out[ADDR_TEXT_SIZE])
{
	struct addr a = { .family = r->family };
	char ip[ADDR_TEXT_SIZE];

	memcpy(a.ip, r->ip, sizeof(a.ip));
	addr_format_ip(&a, ip);
	snprintf(out, ADDR_TEXT_SIZE, "%.45s/%u", ip, (unsigned)r->bits);
}

/* --- what is never sent to -------------------------------------------- */

static const struct {
	struct addr_range range;
	bool always;               /* no rule opens it */
} forbidden[] = {
	{ { ADDR_V4, 8, { 0 } }, true },           /* this network */
	{ { ADDR_V4, 8, { 127 } }, true },         /* loopback */
	{ { ADDR_V4, 16, { 169, 254 } }, false },  /* link-local, metadata of
						      clouds */
	{ { ADDR_V4, 4, { 224 } }, true },         /* multicast */
	{ { ADDR_V4, 4, { 240 } }, true },         /* reserved, broadcast */
	{ { ADDR_V6, 96, { 0 } }, true },          /* ::, ::1, compatible */
	{ { ADDR_V6, 96, { [10] = 0xff, [11] = 0xff } }, true },   /* mapped */
	{ { ADDR_V6, 96, { 0, 0x64, 0xff, 0x9b } }, false },       /* NAT64 */
	{ { ADDR_V6, 48, { 0, 0x64, 0xff, 0x9b, 0, 1 } }, false }, /* local
								      one */
	{ { ADDR_V6, 16, { 0x20, 0x02 } }, false },        /* 6to4 */
	{ { ADDR_V6, 10, { 0xfe, 0x80 } }, false },        /* link-local */
	{ { ADDR_V6, 8, { 0xff } }, true },                /* multicast */
};
#define FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))

int addr_rules_add(struct addr_rules *rules, const struct addr_range *range,
		   bool allow)
{
	const struct addr_range *r;
	struct addr_rule *rule;
	unsigned i;

	for (i = 0; allow && i < FORBIDDEN; i++) {
		r = &forbidden[i].range;
		if (forbidden[i].always && r->family == range->family &&
		    r->bits <= range->bits &&
		    same_bits(r->ip, range->ip, r->bits))
			return EPERM;
	}
	for (i = 0; i < rules->n; i++)
		if (!memcmp(&rules->rule[i].range, range, sizeof(*range)))
			return EEXIST;
	if (rules->n == ADDR_RULES_MAX)
		return EOVERFLOW;
	rule = &rules->rule[rules->n++];
	rule->range = *range;
	rule->allow = allow;
	return 0;
}

/* The narrowest that has the address; NULL: none. */
static const struct addr_rule *rule_of(const struct addr_rules *rules,
				       const struct addr *a)
{
	const struct addr_rule *best = NULL, *rule;
	unsigned i;

	for (i = 0; rules && i < rules->n; i++) {
		rule = &rules->rule[i];
		if (addr_in_range(a, &rule->range) &&
		    (!best || rule->range.bits > best->range.bits))
			best = rule;
	}
	return best;
}

bool addr_rules_forbid(const struct addr_rules *rules, const struct addr *a)
{
	const struct addr_rule *rule = rule_of(rules, a);

	return rule && !rule->allow;
}

bool addr_port_forbidden(uint16_t port)
{
	return port == 0 || port == PORT_DNS;
}

bool addr_forbidden(const struct addr *a, const struct addr_rules *rules)
{
	const struct addr_rule *rule = rule_of(rules, a);
	size_t i;

	if (addr_port_forbidden(a->port) || a->family == ADDR_NONE)
		return true;
	if (rule && !rule->allow)
		return true;
	for (i = 0; i < FORBIDDEN; i++)
		if (addr_in_range(a, &forbidden[i].range))
			return !rule ||
			       rule->range.bits < forbidden[i].range.bits;
	return false;
}
