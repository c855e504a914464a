/* peer.c: users of a media server, in one thread (see peer.h). */
#include "mod_privatecall/probe/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "jingle/media/bytes.h"
#include "jingle/media/demux.h"
#include "jingle/media/rtcp_packet.h"

#define EVENTS 64
#define TICK_NS 5000000
#define HEAD 12                    /* of RTP */
#define STAMP 8                    /* of the payload: when it was sent, ns */
#define BUFFER (1 << 20)
#define CHANNEL_HEAD 4             /* RFC 8656, 12.4 */

const unsigned char peer_key[SRTP_KEY_MAX] = "a key that everybody knows";
const unsigned char peer_salt[SRTP_SALT_MAX] = "and its salt";

void peers_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

int64_t peers_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t now_ms(void)
{
	return peers_now() / 1000000 + 1;
}

/* --- sockets ---------------------------------------------------------- */

union system {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t to_system(const struct addr *a, union system *s)
{
	memset(s, 0, sizeof(*s));
	if (a->family == ADDR_V6) {
		s->v6.sin6_family = AF_INET6;
		s->v6.sin6_port = htons(a->port);
		memcpy(&s->v6.sin6_addr, a->ip, sizeof(s->v6.sin6_addr));
		return sizeof(s->v6);
	}
	s->v4.sin_family = AF_INET;
	s->v4.sin_port = htons(a->port);
	memcpy(&s->v4.sin_addr, a->ip, sizeof(s->v4.sin_addr));
	return sizeof(s->v4);
}

static struct addr from_system(const union system *s)
{
	struct addr a = { .family = ADDR_V4, .port = ntohs(s->v4.sin_port) };

	if (s->any.sa_family == AF_INET6) {
		a.family = ADDR_V6;
		a.port = ntohs(s->v6.sin6_port);
		memcpy(a.ip, &s->v6.sin6_addr, sizeof(s->v6.sin6_addr));
	} else {
		memcpy(a.ip, &s->v4.sin_addr, sizeof(s->v4.sin_addr));
	}
	return a;
}

static void put(struct peer *p, const struct addr *to, const void *bytes,
		size_t len)
{
	unsigned char head[CHANNEL_HEAD];
	union system s;
	struct iovec part[] = { { head, p->channel ? sizeof(head) : 0 },
				{ (void *)(uintptr_t)bytes, len } };
	struct msghdr m = { .msg_name = &s, .msg_namelen = to_system(to, &s),
			    .msg_iov = part, .msg_iovlen = 2 };

	put16(head, p->channel);
	put16(head + 2, (uint32_t)len);
	/* What the system drops is missing at the other end. */
	(void)sendmsg(p->fd, &m, MSG_DONTWAIT);
}

static void open_socket(struct peers *ps, struct peer *p, const char *ip)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = p };
	const int size = BUFFER, alone = 1;
	union system s;
	socklen_t len;

	if (addr_parse(ip, 0, &p->addr))
		peers_die("not an IP address");
	len = to_system(&p->addr, &s);
	p->fd = socket(s.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK |
		       SOCK_CLOEXEC, 0);
	if (p->fd < 0 ||
	    setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    (p->addr.family == ADDR_V6 &&
	     setsockopt(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone,
			sizeof(alone))) ||
	    bind(p->fd, &s.any, len) ||
	    getsockname(p->fd, &s.any, &len) ||
	    epoll_ctl(ps->epoll, EPOLL_CTL_ADD, p->fd, &ev))
		peers_die("no socket for a peer");
	p->addr = from_system(&s);
}

void peers_open(struct peers *ps, unsigned n, const char *ip)
{
	struct rlimit files;
	const char *why = NULL;
	unsigned i, k;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	prctl(PR_SET_TIMERSLACK, 1);
	memset(ps, 0, sizeof(*ps));
	ps->n = n;
	for (i = 0; i < PEER_KINDS; i++)
		ps->flow[i].burst = 1;
	ps->list = calloc(n, sizeof(*ps->list));
	ps->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!ps->list || ps->epoll < 0 ||
	    dtls_identity_new(time(NULL), &ps->id, &why))
		peers_die(why ? why : "no memory for peers");
	for (i = 0; i < n; i++) {
		struct peer *p = &ps->list[i];

		open_socket(ps, p, ip);
		p->deadline = INT64_MAX;
		p->ahead = i % ICE_TICK_MS;
		p->other = &ps->list[i ^ 1];
		for (k = 0; k < PEER_PATTERN; k++)
			p->pattern[k] = (unsigned char)(k * 7 + i);
	}
}

void peers_close(struct peers *ps)
{
	unsigned i;

	for (i = 0; i < ps->n; i++) {
		close(ps->list[i].fd);
		dtls_srtp_free(ps->list[i].dtls);
		srtp_free(ps->list[i].in);
		srtp_free(ps->list[i].out);
	}
	dtls_identity_free(ps->id);
	close(ps->epoll);
	free(ps->list);
}

void peers_watch(struct peers *ps, int fd, void (*ready_h)(void *arg),
		 void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	ps->ready_h = ready_h;
	ps->arg = arg;
	if (epoll_ctl(ps->epoll, EPOLL_CTL_ADD, fd, &ev))
		peers_die("cannot watch the server");
}

/* --- ICE -------------------------------------------------------------- */

static bool nothing_is_forbidden(const struct addr *a, const void *arg)
{
	(void)a;
	(void)arg;
	return false;
}

static void fill(void *bytes, size_t len)
{
	if (getrandom(bytes, len, 0) != (ssize_t)len)
		peers_die("no randomness");
}

static void settle(struct peer *p)
{
	int64_t dtls = p->dtls && (!p->ice || ice_selected(&p->agent)) ?
		       dtls_srtp_deadline(p->dtls) : INT64_MAX;

	p->deadline = p->ice ? ice_deadline(&p->agent) : INT64_MAX;
	if (p->deadline != INT64_MAX)
		p->deadline -= p->ahead;
	if (dtls < p->deadline)
		p->deadline = dtls;
}

static void step(struct peer *p, struct ice_event *ev)
{
	static struct ice_actions out;
	unsigned i;

	ev->now = now_ms() + p->ahead;
	ev->config = &p->config;
	fill(ev->entropy, sizeof(ev->entropy));
	ice_step(&p->agent, ev, &out);
	for (i = 0; i < out.n; i++)
		if (out.list[i].kind == ICE_DO_SEND)
			put(p, &out.list[i].addr, out.list[i].bytes,
			    out.list[i].len);
	if (ice_selected(&p->agent))
		p->to = *ice_selected(&p->agent);
	settle(p);
}

void peer_ice(struct peer *p, bool controlling)
{
	unsigned char random[ICE_ENTROPY_SIZE];

	fill(random, sizeof(random));
	p->ice = true;
	p->config.local[0].base = p->addr;
	p->config.locals = 1;
	p->config.forbidden = nothing_is_forbidden;
	ice_init(&p->agent, controlling, random);
}

void peer_candidate(struct peer *p, const struct addr *addr,
		    uint32_t priority)
{
	char ip[ADDR_TEXT_SIZE];
	struct ice_candidate c = {
		.component = 1, .foundation = "1", .ip = ip,
		.port = addr->port, .priority = priority,
		.protocol = ICE_UDP, .type = ICE_HOST,
	};
	struct ice_event candidate = { .kind = ICE_EV_CANDIDATE,
				       .candidate = &c };

	addr_format_ip(addr, ip);
	step(p, &candidate);
}

void peer_remote(struct peer *p, const char *ufrag, const char *pwd,
		 const struct addr *addr, uint32_t priority)
{
	struct ice_event remote = { .kind = ICE_EV_REMOTE, .ufrag = ufrag,
				    .pwd = pwd };

	step(p, &remote);
	if (!addr)
		return;
	p->to = *addr;
	peer_candidate(p, addr, priority);
}

/* --- DTLS and keys ---------------------------------------------------- */

static void set_keys(struct peer *p, unsigned profile,
		     const unsigned char *his_key,
		     const unsigned char *his_salt,
		     const unsigned char *our_key,
		     const unsigned char *our_salt)
{
	p->profile = profile;
	if (srtp_new(profile, SRTP_OPENS, SRTP_EVP, his_key, his_salt,
		     &p->in) ||
	    srtp_new(profile, SRTP_SEALS, SRTP_EVP, our_key, our_salt,
		     &p->out))
		peers_die("no SRTP for a peer");
}

void peer_fixed(struct peer *p, enum srtp_profile profile,
		const struct addr *to)
{
	p->to = *to;
	set_keys(p, profile, peer_key, peer_salt, peer_key, peer_salt);
}

void peer_dtls(struct peers *ps, struct peer *p, bool active,
	       const char *hash, const unsigned char *value, size_t len)
{
	if (dtls_srtp_new(ps->id, active, &p->dtls))
		peers_die("no DTLS for a peer");
	if (dtls_srtp_expect(p->dtls, hash, value, len))
		p->fault = "the fingerprint is of no hash that is safe";
	settle(p);
}

/* After each step of its association. */
static void follow(struct peer *p, const struct dtls_srtp_out *out)
{
	struct dtls_srtp_keys k;
	unsigned i;

	for (i = 0; i < out->n; i++)
		put(p, &p->to, out->datagram[i].bytes, out->datagram[i].len);
	if (dtls_srtp_state(p->dtls) == DTLS_SRTP_WRONG_CERTIFICATE)
		p->fault = "its certificate is not the one of the fingerprint";
	else if (dtls_srtp_state(p->dtls) == DTLS_SRTP_FAILED)
		p->fault = dtls_srtp_why(p->dtls);
	if (!p->in && !dtls_srtp_take_keys(p->dtls, &k)) {
		set_keys(p, k.profile, k.his_key, k.his_salt, k.our_key,
			 k.our_salt);
		dtls_srtp_keys_wipe(&k);
	}
	settle(p);
}

bool peer_ready(const struct peer *p)
{
	return p->out && (!p->ice || ice_selected(&p->agent));
}

/* --- media ------------------------------------------------------------ */

/* Of packet `seq`. */
static size_t size_of(const struct peer_flow *f, uint16_t seq)
{
	return f->size + (f->uneven && seq % f->burst >= f->burst / 2);
}

static const uint32_t steps[PEER_KINDS] = { 960, 750 };    /* of RTP time */

static uint32_t ssrc_of(const struct peers *ps, const struct peer *p,
			enum peer_kind kind)
{
	return (uint32_t)(p - ps->list) * PEER_KINDS + kind + 1;
}

/* The next packet of his, at `b`; its length. */
static size_t make_one(const struct peers *ps, struct peer *p,
		       enum peer_kind kind, unsigned char b[PEER_PACKET_MAX])
{
	const struct peer_flow *f = &ps->flow[kind];
	size_t len = size_of(f, p->seq[kind]);
	int64_t now = peers_now();

	b[0] = 0x80;
	b[1] = f->type;
	put16(b + 2, p->seq[kind]);
	put32(b + 4, p->seq[kind] * steps[kind]);
	put32(b + 8, ssrc_of(ps, p, kind));
	memcpy(b + HEAD, &now, STAMP);
	memcpy(b + HEAD + STAMP, p->pattern, len - HEAD - STAMP);
	p->seq[kind]++;
	p->sent[kind]++;
	p->octets[kind] += len - HEAD;
	if (srtp_seal_rtp(p->out, b, &len, PEER_PACKET_MAX))
		peers_die("a packet could not be sealed");
	return len;
}

static void send_one(struct peers *ps, struct peer *p, enum peer_kind kind)
{
	unsigned char b[PEER_PACKET_MAX];

	put(p, &p->to, b, make_one(ps, p, kind, b));
}

/* A burst in one send, that the system takes apart where it must. */
static void send_merged(struct peers *ps, struct peer *p, enum peer_kind kind)
{
	static unsigned char b[PEER_BURST_MAX * PEER_PACKET_MAX];
	size_t all = 0, len = 0;
	unsigned n;
	int size;

	for (n = 0; n < ps->flow[kind].burst; n++)
		all += len = make_one(ps, p, kind, b + all);
	size = (int)len;
	if (setsockopt(p->fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		peers_die("this system has no UDP_SEGMENT");
	put(p, &p->to, b, all);
	size = 0;
	setsockopt(p->fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
}

static void send_burst(struct peers *ps, struct peer *p, enum peer_kind kind)
{
	unsigned n;

	if (ps->flow[kind].merged) {
		send_merged(ps, p, kind);
		return;
	}
	for (n = 0; n < ps->flow[kind].burst; n++)
		send_one(ps, p, kind);
}

/* What is due of a flow; when the next one is. Its packets, or bursts, are due
 * at the same distance from each other, whoever's they are. Where the machine
 * cannot keep up, what comes has its turn after one of each peer. */
static int64_t send_flow(struct peers *ps, enum peer_kind kind)
{
	struct peer_flow *f = &ps->flow[kind];
	struct peer *p;
	unsigned left;
	int64_t due;

	for (left = ps->n; left; left--) {
		if (!f->rate || (f->most && f->n >= f->most * ps->n))
			return INT64_MAX;
		due = f->began + (int64_t)((double)f->n * 1e9 / f->rate /
					   ps->n);
		if (due > peers_now())
			return due;
		p = &ps->list[f->n / f->burst % ps->n];
		f->n += f->burst;
		if (p->sends)
			send_burst(ps, p, kind);
	}
	return 0;
}

/* --- reports ---------------------------------------------------------- */

/* A report block (RFC 3550, 6.4.1) about the other's stream; how many. */
static unsigned put_block(const struct peer *p, enum peer_kind kind,
			  unsigned char *b)
{
	uint64_t held = (uint64_t)(peers_now() - p->heard_sr_at);

	if (!p->heard_ssrc[kind])
		return 0;
	memset(b, 0, RTCP_PACKET_BLOCK_SIZE);
	put32(b, p->heard_ssrc[kind]);
	put32(b + 8, p->heard_seq[kind]);
	put32(b + 16, p->heard_sr);
	if (p->heard_sr)
		put32(b + 20, (uint32_t)(held * 65536 / 1000000000));
	return 1;
}

/* An SR of his stream. Its time of day is when it was sent, ns of our clock:
 * nobody on the way has to understand it. */
static size_t put_sr(const struct peers *ps, const struct peer *p,
		     enum peer_kind kind, unsigned char *b)
{
	unsigned char *body = b + RTCP_PACKET_HEADER_SIZE;
	uint64_t now = (uint64_t)peers_now();
	unsigned n = put_block(p, kind, body + RTCP_PACKET_SENDER_SIZE);

	put32(body, ssrc_of(ps, p, kind));
	put32(body + 4, (uint32_t)(now >> 32));
	put32(body + 8, (uint32_t)now);
	put32(body + 12, p->seq[kind] * steps[kind]);
	put32(body + 16, (uint32_t)p->sent[kind]);
	put32(body + 20, (uint32_t)p->octets[kind]);
	return rtcp_packet_head(b, RTCP_SR, n, RTCP_PACKET_SENDER_SIZE +
				n * (size_t)RTCP_PACKET_BLOCK_SIZE);
}

/* A CNAME (6.5), which every compound packet has. */
static size_t put_name(const struct peers *ps, const struct peer *p,
		       unsigned char *b)
{
	put32(b + RTCP_PACKET_HEADER_SIZE, ssrc_of(ps, p, PEER_AUDIO));
	memcpy(b + RTCP_PACKET_HEADER_SIZE + 4, "\1\1p", 4);
	return rtcp_packet_head(b, RTCP_SDES, 1, 8);
}

static void report(struct peers *ps, struct peer *p)
{
	unsigned char b[PEER_PACKET_MAX];
	size_t len = 0;
	unsigned kind;

	for (kind = 0; kind < PEER_KINDS; kind++) {
		if (!ps->flow[kind].rate || !p->sent[kind])
			continue;
		len += put_sr(ps, p, kind, b + len);
		p->reports_sent++;
	}
	if (!len)
		return;
	len += put_name(ps, p, b + len);
	if (srtp_seal_rtcp(p->out, b, &len, sizeof(b)))
		peers_die("a report could not be sealed");
	put(p, &p->to, b, len);
}

/* Those whose turn it is, of all in a second; when the next one is. */
static int64_t send_reports(struct peers *ps)
{
	struct peer *p;
	int64_t due;

	for (;;) {
		due = ps->report_began +
		      (int64_t)((double)ps->report_n * 1e9 / ps->n);
		if (due > peers_now())
			return due;
		p = &ps->list[ps->report_n++ % ps->n];
		if (p->sends)
			report(ps, p);
	}
}

/* Does it name a stream of his, if it names one? */
static bool is_about(const struct peers *ps, const struct peer *p,
		     const struct rtcp_packet *r)
{
	uint32_t ssrc;

	if (!r->count)
		return true;
	ssrc = get32(r->body + RTCP_PACKET_SENDER_SIZE);
	return r->count == 1 && (ssrc == ssrc_of(ps, p, PEER_AUDIO) ||
				 ssrc == ssrc_of(ps, p, PEER_VIDEO));
}

static void take_sr(const struct peers *ps, struct peer *p,
		    const struct rtcp_packet *r)
{
	int64_t sent = (int64_t)((uint64_t)get32(r->body + 4) << 32 |
				 get32(r->body + 8));

	p->heard_sr = get32(r->body + 6);
	p->heard_sr_at = peers_now();
	if (sent >= p->other->since && is_about(ps, p, r))
		p->reports_got++;
}

/* A server may say things of its own beside. */
static void take_srtcp(const struct peers *ps, struct peer *p,
		       unsigned char *b, size_t len)
{
	struct rtcp_packet_walk walk;
	struct rtcp_packet r;

	if (!p->in || srtp_open_rtcp(p->in, b, &len) ||
	    rtcp_packet_check(b, len)) {
		p->wrong++;
		return;
	}
	rtcp_packet_walk(&walk, b, len);
	while (rtcp_packet_next(&walk, &r))
		if (r.type == RTCP_SR)
			take_sr(ps, p, &r);
}

static int64_t send_due(struct peers *ps)
{
	int64_t due = send_flow(ps, PEER_AUDIO);
	int64_t video = send_flow(ps, PEER_VIDEO);
	int64_t reports = send_reports(ps);

	if (video < due)
		due = video;
	return reports < due ? reports : due;
}

static bool is_right(const struct peers *ps, const struct peer *from,
		     enum peer_kind kind, const unsigned char *b, size_t len)
{
	uint32_t ssrc = ssrc_of(ps, from, kind);

	return len == size_of(&ps->flow[kind], get16(b + 2)) &&
	       (ps->other_ssrc || get32(b + 8) == ssrc) &&
	       (b[1] & 127) == ps->flow[kind].seen &&
	       !memcmp(b + HEAD + STAMP, from->pattern, len - HEAD - STAMP);
}

static void note_heard(struct peer *p, enum peer_kind kind,
		       const unsigned char *b)
{
	uint16_t ahead = (uint16_t)(get16(b + 2) -
				    (uint16_t)p->heard_seq[kind]);

	if (p->heard_ssrc[kind] != get32(b + 8))
		p->heard_seq[kind] = get16(b + 2);
	else if (ahead < 0x8000)
		p->heard_seq[kind] += ahead;
	p->heard_ssrc[kind] = get32(b + 8);
}

static void take_srtp(struct peers *ps, struct peer *p, unsigned char *b,
		      size_t len)
{
	int64_t now = peers_now(), sent;
	enum peer_kind kind;

	if (len > 1 && b[1] >= 192 && b[1] <= 223) {
		take_srtcp(ps, p, b, len);
		return;
	}
	if (!p->in || srtp_open_rtp(p->in, b, &len)) {
		p->wrong++;
		return;
	}
	if (p->dtls && dtls_srtp_heavy(p->dtls)) {
		dtls_srtp_settled(p->dtls);
		settle(p);
	}
	kind = (b[1] & 127) == ps->flow[PEER_VIDEO].seen ? PEER_VIDEO :
							   PEER_AUDIO;
	if (!is_right(ps, p->other, kind, b, len)) {
		p->wrong++;
		return;
	}
	memcpy(&sent, b + HEAD, STAMP);
	p->heard = now;
	note_heard(p, kind, b);
	if (sent < p->other->since)
		return;
	p->got[kind]++;
	if (!ps->timed)
		return;
	now = (now - sent) / 1000;
	ps->latency[now < PEER_LATENCY_US ? now : PEER_LATENCY_US - 1]++;
}

/* --- turns ------------------------------------------------------------ */

static void receive(struct peers *ps, struct peer *p)
{
	static struct dtls_srtp_out out;
	unsigned char b[2048];
	union system s;
	socklen_t slen = sizeof(s);
	ssize_t len = recvfrom(p->fd, b, sizeof(b), MSG_DONTWAIT, &s.any,
			       &slen);
	struct ice_event ev = { .kind = ICE_EV_PACKET, .bytes = b };

	if (len < 0)
		return;
	if (p->channel && len > CHANNEL_HEAD && get16(b) == p->channel) {
		len -= CHANNEL_HEAD;
		memmove(b, b + CHANNEL_HEAD, (size_t)len);
	}
	switch (demux_kind(b, (size_t)len)) {
	case DEMUX_RTP:
		take_srtp(ps, p, b, (size_t)len);
		break;
	case DEMUX_STUN:
		ev.from = from_system(&s);
		ev.len = (size_t)len;
		if (p->ice)
			step(p, &ev);
		break;
	case DEMUX_DTLS:
		if (!p->dtls)
			break;
		dtls_srtp_feed(p->dtls, now_ms(), b, (size_t)len, &out);
		follow(p, &out);
		break;
	default:
		p->wrong++;
		break;
	}
}

static void on_time(struct peer *p, int64_t now)
{
	static struct dtls_srtp_out out;
	struct ice_event ev = { .kind = ICE_EV_TIME };

	if (p->ice && ice_deadline(&p->agent) <= now + p->ahead) {
		step(p, &ev);
	} else {
		dtls_srtp_time(p->dtls, now, &out);
		follow(p, &out);
	}
}

void peers_turn(struct peers *ps)
{
	struct epoll_event ev[EVENTS];
	struct timespec wait = { 0 };
	int64_t next = ps->sends ? send_due(ps) : INT64_MAX;
	int64_t now = peers_now(), ms = now_ms();
	unsigned i;
	int n;

	if (now >= ps->tick) {
		ps->tick = now + TICK_NS;
		for (i = 0; i < ps->n; i++)
			if (ps->list[i].deadline <= ms)
				on_time(&ps->list[i], ms);
	}
	if (ps->tick < next)
		next = ps->tick;
	if ((!ps->sends || ps->waits) && next > now)
		wait.tv_nsec = next - now;
	n = epoll_pwait2(ps->epoll, ev, EVENTS, &wait, NULL);
	for (i = 0; n > 0 && i < (unsigned)n; i++) {
		if (ev[i].data.ptr)
			receive(ps, ev[i].data.ptr);
		else
			ps->ready_h(ps->arg);
	}
}

void peers_begin(struct peers *ps)
{
	unsigned kind;

	for (kind = 0; kind < PEER_KINDS; kind++) {
		ps->flow[kind].began = peers_now();
		ps->flow[kind].n = 0;
	}
	ps->report_began = peers_now();
	ps->report_n = 0;
	ps->sends = true;
}

void peers_send(struct peers *ps)
{
	unsigned i;

	for (i = 0; i < ps->n; i++)
		ps->list[i].sends = true;
	peers_begin(ps);
}

void peers_stop(struct peers *ps)
{
	ps->sends = false;
}

void peers_burst(struct peers *ps, enum peer_kind kind, unsigned each)
{
	unsigned n, i;

	for (n = 0; n < each; n += ps->flow[kind].burst)
		for (i = 0; i < ps->n; i++)
			send_burst(ps, &ps->list[i], kind);
}

void peer_count(struct peer *p)
{
	p->since = peers_now();
	p->wrong = p->reports_sent = p->reports_got = 0;
	memset(p->sent, 0, sizeof(p->sent));
	memset(p->got, 0, sizeof(p->got));
}

/* --- results ---------------------------------------------------------- */

void peer_add(const struct peer *p, struct peer_sum *sum)
{
	unsigned kind;

	for (kind = 0; kind < PEER_KINDS; kind++) {
		sum->sent += p->sent[kind];
		sum->got += p->got[kind];
	}
	sum->wrong += p->wrong;
	sum->reports_sent += p->reports_sent;
	sum->reports_got += p->reports_got;
}

struct peer_sum peers_sum(const struct peers *ps)
{
	struct peer_sum sum = { 0 };
	unsigned i;

	for (i = 0; i < ps->n; i++)
		peer_add(&ps->list[i], &sum);
	return sum;
}

unsigned peers_latency(const struct peers *ps, double share)
{
	uint64_t all = 0, until = 0;
	unsigned us;

	for (us = 0; us < PEER_LATENCY_US; us++)
		all += ps->latency[us];
	for (us = 0; us < PEER_LATENCY_US - 1; us++) {
		until += ps->latency[us];
		if ((double)until >= share * (double)all)
			break;
	}
	return us;
}
