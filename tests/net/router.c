/* router.c: passes IP packets between hosts, badly (see router.h). */
#include "tests/net/router.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/media/bytes.h"

#define UDP 17
#define V4_HEAD 20
#define V6_HEAD 40
#define PORTS_OF_NAT 0x4000        /* outside, this bit is the other way */

/* What is read of a packet. */
struct ip_view {
	unsigned char *bytes;
	size_t len;
	uint8_t version;
	size_t from, to;           /* offsets of its addresses */
	size_t size;               /* of an address */
	size_t udp;                /* offset of the UDP header; 0: none */
};

/* Neither options nor extension headers are looked through: what has them is
 * no UDP here. */
static bool look(unsigned char *bytes, size_t len, struct ip_view *v_r)
{
	struct ip_view v = { .bytes = bytes, .len = len };

	v.version = len ? bytes[0] >> 4 : 0;
	if (v.version == 4 && len >= V4_HEAD) {
		v.from = 12;
		v.to = 16;
		v.size = 4;
		if (bytes[0] == 0x45 && bytes[9] == UDP && len >= V4_HEAD + 8)
			v.udp = V4_HEAD;
	} else if (v.version == 6 && len >= V6_HEAD) {
		v.from = 8;
		v.to = 24;
		v.size = 16;
		if (bytes[6] == UDP && len >= V6_HEAD + 8)
			v.udp = V6_HEAD;
	} else {
		return false;
	}
	*v_r = v;
	return true;
}

static enum router_kind kind_of(const struct ip_view *v)
{
	unsigned first;

	if (!v->udp || v->len == v->udp + 8)
		return ROUTER_OTHER;
	first = v->bytes[v->udp + 8];
	if (first <= 3)
		return ROUTER_STUN;
	if (first >= 20 && first <= 63)
		return ROUTER_DTLS;
	return first >= 128 && first <= 191 ? ROUTER_RTP : ROUTER_OTHER;
}

/* --- addresses -------------------------------------------------------- */

bool router_ip(const char *text, struct router_ip *ip_r)
{
	memset(ip_r, 0, sizeof(*ip_r));
	if (inet_pton(AF_INET, text, ip_r->bytes) == 1)
		ip_r->version = 4;
	else if (inet_pton(AF_INET6, text, ip_r->bytes) == 1)
		ip_r->version = 6;
	return ip_r->version;
}

static bool is_at(const struct ip_view *v, size_t at,
		  const struct router_ip *ip)
{
	return ip->version == v->version &&
	       !memcmp(v->bytes + at, ip->bytes, v->size);
}

/* Who has the address that it goes to. Behind NAT he has his outer one, and
 * that alone: what goes to where he was is for nobody. */
static bool find_target(const struct router *r, const struct ip_view *v,
			unsigned *host_r)
{
	const struct router_host *h;

	for (unsigned i = 0; i < r->hosts; i++) {
		h = &r->host[i];
		*host_r = i;
		if (is_at(v, v->to, &h->outer))
			return true;
		if (h->outer.version == v->version)
			continue;
		if (is_at(v, v->to, &h->ip[0]) || is_at(v, v->to, &h->ip[1]))
			return true;
	}
	return false;
}

/* --- NAT -------------------------------------------------------------- */

/* RFC 1624: the checksum after `n` bytes at `at` became others. */
static void mend(unsigned char *sum, const unsigned char *was,
		 const unsigned char *is, size_t n)
{
	uint32_t s = (uint16_t)~get16(sum);

	for (size_t i = 0; i < n; i += 2)
		s += (uint16_t)~get16(was + i) + (uint32_t)get16(is + i);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	put16(sum, (uint16_t)~s);
}

/* Puts another address and port where the packet has one. */
static void rewrite(struct ip_view *v, size_t at, size_t port,
		    const struct router_ip *ip)
{
	unsigned char was[18], is[18];
	unsigned char *sum = v->bytes + v->udp + 6;

	memcpy(was, v->bytes + at, v->size);
	memcpy(was + v->size, v->bytes + port, 2);
	memcpy(is, ip->bytes, v->size);
	put16(is + v->size, get16(v->bytes + port) ^ PORTS_OF_NAT);
	if (v->version == 4)
		mend(v->bytes + 10, was, is, v->size);
	if (get16(sum)) {
		mend(sum, was, is, v->size + 2);
		if (!get16(sum))
			put16(sum, 0xffff);        /* 0 is: none */
	}
	memcpy(v->bytes + at, is, v->size);
	memcpy(v->bytes + port, is + v->size, 2);
}

/* Only UDP goes through it. */
static bool leaves_nat(const struct router_host *h, struct ip_view *v)
{
	if (h->outer.version != v->version)
		return true;
	if (!v->udp)
		return false;
	rewrite(v, v->from, v->udp, &h->outer);
	return true;
}

static bool enters_nat(const struct router_host *h, struct ip_view *v)
{
	if (h->outer.version != v->version)
		return true;
	if (!v->udp)
		return false;
	rewrite(v, v->to, v->udp + 2, &h->ip[v->version == 6]);
	return true;
}

/* --- links ------------------------------------------------------------ */

/* Below 1000. */
static unsigned draw(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ z >> 31) % 1000);
}

static bool earlier(const struct router_packet *a,
		    const struct router_packet *b)
{
	return a->due < b->due || (a->due == b->due && a->n < b->n);
}

static unsigned char *copy_of(const struct router_packet *p)
{
	unsigned char *bytes = malloc(p->len);

	if (!bytes)
		abort();
	return memcpy(bytes, p->bytes, p->len);
}

/* Takes over its bytes. */
static void add(struct router *r, const struct router_packet *p)
{
	struct router_packet *w = r->waiting, swap;
	unsigned at = r->n, up;

	if (r->n == ROUTER_WAITING) {
		r->overflown++;
		free(p->bytes);
		return;
	}
	w[at] = *p;
	w[at].n = r->packets++;
	for (r->n++; at; at = up) {
		up = (at - 1) / 2;
		if (!earlier(&w[at], &w[up]))
			break;
		swap = w[at];
		w[at] = w[up];
		w[up] = swap;
	}
}

static struct router_packet pop(struct router *r)
{
	struct router_packet *w = r->waiting, first = w[0], swap;
	unsigned at = 0, down;

	w[0] = w[--r->n];
	while ((down = 2 * at + 1) < r->n) {
		if (down + 1 < r->n && earlier(&w[down + 1], &w[down]))
			down++;
		if (!earlier(&w[down], &w[at]))
			break;
		swap = w[at];
		w[at] = w[down];
		w[down] = swap;
		at = down;
	}
	return first;
}

static void add_in_order(struct router *r, struct router_packet *p)
{
	int64_t *last = &r->host[p->host].last[p->way];

	if (p->due < *last)
		p->due = *last;
	*last = p->due;
	add(r, p);
}

/* Who waits for others to overtake him, after `passed` more have, or at his
 * time. */
static void release(struct router *r, unsigned host, enum router_way way,
		    int64_t now, unsigned passed)
{
	struct router_host *h = &r->host[host];
	unsigned i, left = 0;

	for (i = 0; i < h->n_held[way]; i++) {
		struct router_packet *p = &h->held[way][i];

		if (p->late > passed && p->due > now) {
			p->late -= passed;
			h->held[way][left++] = *p;
		} else {
			p->due = now;
			add_in_order(r, p);
		}
	}
	h->n_held[way] = left;
}

static void hold(struct router_host *h, struct router_packet *p, int64_t now)
{
	p->late = h->link[p->way].late;
	p->due = now + ROUTER_HELD_US;
	p->bytes = copy_of(p);
	h->count[p->way].reordered++;
	h->held[p->way][h->n_held[p->way]++] = *p;
}

/* It comes to a host's link, and is due at the link's other end. */
static void enter(struct router *r, int64_t now, unsigned host,
		  enum router_way way, const struct ip_view *v)
{
	struct router_host *h = &r->host[host];
	struct router_link *l = &h->link[way];
	struct router_count *c = &h->count[way];
	enum router_kind kind = kind_of(v);
	struct router_packet p = { .host = host, .way = way, .len = v->len,
				   .bytes = v->bytes };
	bool lost = draw(&h->random[way]) < l->loss;
	bool twice = draw(&h->random[way]) < l->dup;
	bool late = draw(&h->random[way]) < l->reorder;
	unsigned jitter = draw(&h->random[way]);

	c->taken[kind]++;
	if (kind == ROUTER_DTLS && l->dtls) {
		l->dtls--;
		lost = true;
	}
	if (lost) {
		c->lost[kind]++;
		return;
	}
	if (late && h->n_held[way] < ROUTER_HELD) {
		hold(h, &p, now);
		return;
	}
	p.due = now + l->delay * 1000 + l->jitter * jitter;
	p.bytes = copy_of(&p);
	add_in_order(r, &p);
	if (twice) {
		c->twice[kind]++;
		p.bytes = copy_of(&p);
		add_in_order(r, &p);
	}
	release(r, host, way, now, 1);
}

static bool is_blocked(const struct router_host *h, enum router_way way,
		       const struct ip_view *v)
{
	size_t ip = way == ROUTER_OUT ? v->to : v->from;
	size_t port = way == ROUTER_OUT ? v->udp + 2 : v->udp;

	if (!h->udp_blocked || !v->udp)
		return false;
	return !is_at(v, ip, &h->udp_to) ||
	       get16(v->bytes + port) != h->udp_port;
}

void router_take(struct router *r, int64_t now, unsigned host,
		 const void *bytes, size_t len)
{
	struct router_host *h = &r->host[host];
	unsigned char copy[ROUTER_PACKET];
	struct ip_view v;

	if (len > sizeof(copy))
		return;
	memcpy(copy, bytes, len);
	if (!look(copy, len, &v))
		return;
	if (is_blocked(h, ROUTER_OUT, &v)) {
		h->count[ROUTER_OUT].blocked++;
		return;
	}
	if (leaves_nat(h, &v))
		enter(r, now, host, ROUTER_OUT, &v);
}

/* It has left one link: to the next, or it has arrived. */
static void move(struct router *r, struct router_packet *p,
		 void (*give_h)(unsigned host, const void *bytes, size_t len,
				void *arg), void *arg)
{
	struct router_host *h;
	struct ip_view v;
	unsigned host;

	if (p->way == ROUTER_IN) {
		give_h(p->host, p->bytes, p->len, arg);
		return;
	}
	if (!look(p->bytes, p->len, &v) || !find_target(r, &v, &host)) {
		r->unknown++;
		return;
	}
	h = &r->host[host];
	if (is_blocked(h, ROUTER_IN, &v))
		h->count[ROUTER_IN].blocked++;
	else if (enters_nat(h, &v))
		enter(r, p->due, host, ROUTER_IN, &v);
}

void router_pass(struct router *r, int64_t now,
		 void (*give_h)(unsigned host, const void *bytes, size_t len,
				void *arg), void *arg)
{
	struct router_packet p;
	unsigned i;

	for (i = 0; i < r->hosts * ROUTER_WAYS; i++)
		release(r, i / ROUTER_WAYS, i % ROUTER_WAYS, now, 0);
	while (r->n && r->waiting[0].due <= now) {
		p = pop(r);
		move(r, &p, give_h, arg);
		free(p.bytes);
	}
}

int64_t router_next(const struct router *r)
{
	int64_t due = r->n ? r->waiting[0].due : INT64_MAX;
	unsigned i;

	/* The first that is held has waited longest. */
	for (i = 0; i < r->hosts * ROUTER_WAYS; i++) {
		const struct router_host *h = &r->host[i / ROUTER_WAYS];
		unsigned way = i % ROUTER_WAYS;

		if (h->n_held[way] && h->held[way][0].due < due)
			due = h->held[way][0].due;
	}
	return due;
}

/* --- hosts ------------------------------------------------------------ */

struct router_host *router_find(struct router *r, const char *name)
{
	for (unsigned i = 0; i < r->hosts; i++)
		if (strcmp(r->host[i].name, name) == 0)
			return &r->host[i];
	return NULL;
}

struct router_host *router_add(struct router *r, const char *name,
			       uint64_t seed)
{
	struct router_host *h = &r->host[r->hosts];

	if (r->hosts == ROUTER_HOSTS || strlen(name) >= sizeof(h->name))
		return NULL;
	strcpy(h->name, name);
	for (unsigned way = 0; way < ROUTER_WAYS; way++)
		h->random[way] = seed * 1000003 + r->hosts * 2 + way;
	r->hosts++;
	return h;
}

void router_end(struct router *r)
{
	unsigned i;

	for (i = 0; i < r->hosts * ROUTER_WAYS; i++) {
		struct router_host *h = &r->host[i / ROUTER_WAYS];
		unsigned way = i % ROUTER_WAYS;

		while (h->n_held[way])
			free(h->held[way][--h->n_held[way]].bytes);
	}
	while (r->n)
		free(r->waiting[--r->n].bytes);
}
