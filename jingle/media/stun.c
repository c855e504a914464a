/* stun.c: the part of STUN (RFC 8489) that ICE needs (see stun.h). */
#include "jingle/media/stun.h"

#include <errno.h>
#include <string.h>
#include "jingle/media/bytes.h"
#include "jingle/media/hmac.h"

#define COOKIE 0x2112a442u
#define METHOD_BINDING 0x0001
#define FINGERPRINT_XOR 0x5354554eu
#define ATTR_HEADER 4
#define INTEGRITY_SIZE (ATTR_HEADER + SHA1_SIZE)
#define FINGERPRINT_SIZE (ATTR_HEADER + 4)
#define MAY_IGNORE 0x8000          /* types from here on (RFC 8489, 14) */

enum {
	MAPPED_ADDRESS = 0x0001,
	USERNAME = 0x0006,
	MESSAGE_INTEGRITY = 0x0008,
	ERROR_CODE = 0x0009,
	UNKNOWN_ATTRIBUTES = 0x000a,
	REALM = 0x0014,
	NONCE = 0x0015,
	XOR_MAPPED_ADDRESS = 0x0020,
	PRIORITY = 0x0024,
	USE_CANDIDATE = 0x0025,
	FINGERPRINT = 0x8028,
	ICE_CONTROLLED = 0x8029,
	ICE_CONTROLLING = 0x802a
};

static uint64_t get64(const unsigned char *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* CRC-32 of ITU V.42, four bits at a time. */
static uint32_t crc32(const unsigned char *p, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = 0xffffffff;
	size_t i;

	for (i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* The MESSAGE-INTEGRITY at `at`: of all before it, with the length as if it
 * were the last attribute (RFC 8489, 14.5). */
static void make_integrity(const unsigned char *packet, size_t at,
			   const void *key, size_t key_len,
			   unsigned char out[SHA1_SIZE])
{
	unsigned char head[4];
	struct hmac_state s;

	memcpy(head, packet, 2);
	put16(head + 2, (uint32_t)(at + INTEGRITY_SIZE - STUN_HEADER_SIZE));
	hmac_start(&s, key, key_len);
	hmac_add(&s, head, sizeof(head));
	hmac_add(&s, packet + sizeof(head), at - sizeof(head));
	hmac_end(&s, out);
}

/* --- reading ---------------------------------------------------------- */

static int read_username(struct stun_msg *m, const unsigned char *p, size_t len)
{
	if (len > STUN_USERNAME_MAX)
		return EOVERFLOW;
	if (!m->username) {
		m->username = p;
		m->username_len = len;
	}
	return 0;
}

static int read_error(struct stun_msg *m, const unsigned char *p, size_t len)
{
	unsigned hundreds, rest;

	if (len < 4)
		return EBADMSG;
	hundreds = p[2] & 7;
	rest = p[3];
	if (hundreds < 3 || hundreds > 6 || rest > 99)
		return EBADMSG;
	if (!m->error)
		m->error = hundreds * 100 + rest;
	return 0;
}

static int read_refused(struct stun_msg *m, const unsigned char *p, size_t len)
{
	size_t i;

	if (len % 2)
		return EBADMSG;
	for (i = 0; i < len && m->refused_n < STUN_UNKNOWN_MAX; i += 2)
		m->refused[m->refused_n++] = (uint16_t)get16(p + i);
	return 0;
}

/* The address, exclusive-ored with the cookie and the transaction id, which
 * is its own reverse. */
static void xor_ip(uint8_t ip[ADDR_IP_SIZE], size_t len,
		   const unsigned char id[STUN_ID_SIZE])
{
	unsigned char with[ADDR_IP_SIZE];
	size_t i;

	put32(with, COOKIE);
	memcpy(with + 4, id, STUN_ID_SIZE);
	for (i = 0; i < len; i++)
		ip[i] ^= with[i];
}

static int read_mapped(struct stun_msg *m, const unsigned char *p, size_t len)
{
	struct addr a = { 0 };
	size_t ip_len;

	if (len < 4 || (p[1] != ADDR_V4 && p[1] != ADDR_V6))
		return EBADMSG;
	ip_len = p[1] == ADDR_V4 ? 4 : 16;
	if (len != 4 + ip_len)
		return EBADMSG;
	a.family = p[1];
	a.port = (uint16_t)(get16(p + 2) ^ COOKIE >> 16);
	memcpy(a.ip, p + 4, ip_len);
	xor_ip(a.ip, ip_len, m->id);
	if (m->mapped.family == ADDR_NONE)
		m->mapped = a;
	return 0;
}

static int read_role(struct stun_msg *m, enum stun_role role,
		     const unsigned char *p, size_t len)
{
	if (len != 8)
		return EBADMSG;
	if (m->role == STUN_NO_ROLE) {
		m->role = role;
		m->tie_breaker = get64(p);
	} else if (m->role != role) {
		m->two_roles = true;
	}
	return 0;
}

static int read_priority(struct stun_msg *m, const unsigned char *p, size_t len)
{
	if (len != 4)
		return EBADMSG;
	if (!m->has_priority) {
		m->has_priority = true;
		m->priority = get32(p);
	}
	return 0;
}

static void read_unknown(struct stun_msg *m, uint32_t type)
{
	if (type < MAY_IGNORE && m->unknown_n < STUN_UNKNOWN_MAX)
		m->unknown[m->unknown_n++] = (uint16_t)type;
}

static int read_attr(struct stun_msg *m, uint32_t type, const unsigned char *p,
		     size_t len)
{
	switch (type) {
	case USERNAME:
		return read_username(m, p, len);
	case ERROR_CODE:
		return read_error(m, p, len);
	case UNKNOWN_ATTRIBUTES:
		return read_refused(m, p, len);
	case XOR_MAPPED_ADDRESS:
		return read_mapped(m, p, len);
	case PRIORITY:
		return read_priority(m, p, len);
	case USE_CANDIDATE:
		m->use_candidate = true;
		return len ? EBADMSG : 0;
	case ICE_CONTROLLED:
		return read_role(m, STUN_CONTROLLED, p, len);
	case ICE_CONTROLLING:
		return read_role(m, STUN_CONTROLLING, p, len);
	case MAPPED_ADDRESS:       /* understood, and of no use here */
	case REALM:
	case NONCE:
		return 0;
	default:
		read_unknown(m, type);
		return 0;
	}
}

/* Is the FINGERPRINT at `at` right, and the last attribute? */
static int read_fingerprint(struct stun_msg *m, size_t at, size_t len)
{
	const unsigned char *p = m->packet + at;

	if (at + FINGERPRINT_SIZE != len || get16(p + 2) != 4 ||
	    get32(p + ATTR_HEADER) != (crc32(m->packet, at) ^ FINGERPRINT_XOR))
		return EBADMSG;
	m->fingerprint = true;
	return 0;
}

static int read_attrs(struct stun_msg *m, size_t len)
{
	size_t at = STUN_HEADER_SIZE, value;
	int err = 0;

	for (; at < len && !err; at += ATTR_HEADER + padded(value)) {
		const unsigned char *p = m->packet + at;
		uint32_t type = get16(p);

		value = get16(p + 2);
		if (padded(value) > len - at - ATTR_HEADER)
			return EBADMSG;
		if (type == FINGERPRINT) {
			err = read_fingerprint(m, at, len);
		} else if (!m->integrity_at && type == MESSAGE_INTEGRITY) {
			m->integrity_at = at;
			err = value == SHA1_SIZE ? 0 : EBADMSG;
		} else if (!m->integrity_at) {
			err = read_attr(m, type, p + ATTR_HEADER, value);
		}
	}
	return err;
}

int stun_read(const void *packet, size_t len, struct stun_msg *m_r)
{
	const unsigned char *p = packet;
	uint32_t type;

	memset(m_r, 0, sizeof(*m_r));
	if (len < STUN_HEADER_SIZE || len % 4)
		return EBADMSG;
	type = get16(p);
	if ((type & ~0x110u) != METHOD_BINDING || get32(p + 4) != COOKIE ||
	    get16(p + 2) + STUN_HEADER_SIZE != len)
		return EBADMSG;
	if (len > STUN_READ_MAX)
		return EOVERFLOW;
	m_r->class = (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
	memcpy(m_r->id, p + 8, STUN_ID_SIZE);
	m_r->packet = p;
	return read_attrs(m_r, len);
}

bool stun_authentic(const struct stun_msg *m, const void *key, size_t key_len)
{
	unsigned char right[SHA1_SIZE];

	if (!m->integrity_at)
		return false;
	make_integrity(m->packet, m->integrity_at, key, key_len, right);
	return hmac_same(right, m->packet + m->integrity_at + ATTR_HEADER);
}

/* --- writing ---------------------------------------------------------- */

struct out {
	unsigned char *buf;
	size_t size, len;
	bool full;
};

/* Room for an attribute whose value is zeros so far; NULL: none. */
static unsigned char *add_attr(struct out *o, uint32_t type, size_t len)
{
	size_t need = ATTR_HEADER + padded(len);
	unsigned char *p = o->buf + o->len;

	if (o->full || need > o->size - o->len) {
		o->full = true;
		return NULL;
	}
	memset(p, 0, need);
	put16(p, type);
	put16(p + 2, (uint32_t)len);
	o->len += need;
	return p + ATTR_HEADER;
}

static void add_bytes(struct out *o, uint32_t type, const void *value,
		      size_t len)
{
	unsigned char *p = add_attr(o, type, len);

	if (p && len)
		memcpy(p, value, len);
}

static void add_mapped(struct out *o, const struct stun_msg *m)
{
	size_t ip_len = m->mapped.family == ADDR_V4 ? 4 : 16;
	unsigned char *p = add_attr(o, XOR_MAPPED_ADDRESS, 4 + ip_len);

	if (!p)
		return;
	p[1] = m->mapped.family;
	put16(p + 2, m->mapped.port ^ COOKIE >> 16);
	memcpy(p + 4, m->mapped.ip, ip_len);
	xor_ip(p + 4, ip_len, m->id);
}

static void add_error(struct out *o, const struct stun_msg *m)
{
	const unsigned char value[4] = {
		0, 0, (unsigned char)(m->error / 100),
		(unsigned char)(m->error % 100),
	};
	unsigned char *p;
	unsigned i;

	add_bytes(o, ERROR_CODE, value, sizeof(value));
	if (!m->refused_n)
		return;
	p = add_attr(o, UNKNOWN_ATTRIBUTES, 2 * (size_t)m->refused_n);
	for (i = 0; p && i < m->refused_n; i++)
		put16(p + 2 * (size_t)i, m->refused[i]);
}

static void add_role(struct out *o, const struct stun_msg *m)
{
	unsigned char value[8];

	put32(value, (uint32_t)(m->tie_breaker >> 32));
	put32(value + 4, (uint32_t)m->tie_breaker);
	add_bytes(o, m->role == STUN_CONTROLLING ? ICE_CONTROLLING :
		  ICE_CONTROLLED, value, sizeof(value));
}

static void add_attrs(struct out *o, const struct stun_msg *m)
{
	unsigned char value[4];

	if (m->username)
		add_bytes(o, USERNAME, m->username, m->username_len);
	if (m->has_priority) {
		put32(value, m->priority);
		add_bytes(o, PRIORITY, value, sizeof(value));
	}
	if (m->use_candidate)
		add_attr(o, USE_CANDIDATE, 0);
	if (m->role != STUN_NO_ROLE)
		add_role(o, m);
	if (m->mapped.family != ADDR_NONE)
		add_mapped(o, m);
	if (m->error)
		add_error(o, m);
}

static void set_length(struct out *o, size_t len)
{
	put16(o->buf + 2, (uint32_t)(len - STUN_HEADER_SIZE));
}

/* Both count themselves in the length that they protect. */
static void add_integrity(struct out *o, const void *key, size_t key_len)
{
	size_t at = o->len;
	unsigned char *p = add_attr(o, MESSAGE_INTEGRITY, SHA1_SIZE);

	if (p)
		make_integrity(o->buf, at, key, key_len, p);
}

static void add_fingerprint(struct out *o)
{
	size_t at = o->len;
	unsigned char *p = add_attr(o, FINGERPRINT, 4);

	if (!p)
		return;
	set_length(o, o->len);
	put32(p, crc32(o->buf, at) ^ FINGERPRINT_XOR);
}

int stun_write(const struct stun_msg *m, const void *key, size_t key_len,
	       unsigned char *buf, size_t size, size_t *len_r)
{
	struct out o = { .buf = buf, .size = size, .len = STUN_HEADER_SIZE };
	uint32_t class = m->class;

	if (size < STUN_HEADER_SIZE)
		return ENOSPC;
	put16(buf, METHOD_BINDING | (class & 2) << 7 | (class & 1) << 4);
	put32(buf + 4, COOKIE);
	memcpy(buf + 8, m->id, STUN_ID_SIZE);
	add_attrs(&o, m);
	if (key)
		add_integrity(&o, key, key_len);
	add_fingerprint(&o);
	if (o.full)
		return ENOSPC;
	*len_r = o.len;
	return 0;
}
