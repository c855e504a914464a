/* floor.c: the least that a relay can cost (see floor.h). */
#define OPENSSL_API_COMPAT 10100
#include "tests/bench/floor.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "jingle/media/srtp_private.h"
#include "tests/bench/where.h"

#define BATCH 32
#define SPREAD 2048                /* for a packet */
#define SIZE 65536                 /* for several, as one */
#define SEGMENTS 64
#define MERGED_MAX 65000           /* bytes */
#define HEAD 12
#define GCM_TAG 16
#define SHA1_TAG 10
#define BUFFER (4 << 20)

struct leg {
	EVP_CIPHER_CTX *open, *seal;
	struct sockaddr_in addr;
};

struct floor {
	int fd;
	bool gcm;
	unsigned tick;
	bool gso;
	struct leg *leg;
	uint16_t by_port[65536];   /* leg + 1; 0: nobody's */
	unsigned char salt[SRTP_SALT_MAX];
	SHA_CTX inner, outer;
	struct mmsghdr msg[BATCH], out[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in from[BATCH];
	union {
		unsigned char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} said[BATCH], tell[BATCH];        /* sizes of segments */
	unsigned char bytes[BATCH][SIZE + SPREAD];
};

/* --- SRTP, as long as no sequence number wraps ------------------------- */

/* RFC 7714, 8.1; RFC 3711, 4.1.1. */
static void make_iv(const struct floor *f, const unsigned char *p,
		    unsigned char iv[16])
{
	unsigned i, at = f->gcm ? 2 : 4;

	memset(iv, 0, 16);
	memcpy(iv, f->salt, f->gcm ? 12 : 14);
	for (i = 0; i < 4; i++)
		iv[at + i] ^= p[8 + i];
	iv[f->gcm ? 10 : 12] ^= p[2];
	iv[f->gcm ? 11 : 13] ^= p[3];
}

static void hash(const struct floor *f, const unsigned char *p, size_t len,
		 unsigned char tag[SHA_DIGEST_LENGTH])
{
	static const unsigned char roc[4];
	SHA_CTX c = f->inner;

	SHA1_Update(&c, p, len);
	SHA1_Update(&c, roc, sizeof(roc));
	SHA1_Final(tag, &c);
	c = f->outer;
	SHA1_Update(&c, tag, SHA_DIGEST_LENGTH);
	SHA1_Final(tag, &c);
}

static bool open_sha1(struct floor *f, struct leg *l, unsigned char *p,
		      size_t *len)
{
	unsigned char iv[16], tag[SHA_DIGEST_LENGTH];
	int n;

	*len -= SHA1_TAG;
	hash(f, p, *len, tag);
	make_iv(f, p, iv);
	return CRYPTO_memcmp(tag, p + *len, SHA1_TAG) == 0 &&
	       EVP_CipherInit_ex(l->open, NULL, NULL, NULL, iv, -1) == 1 &&
	       EVP_CipherUpdate(l->open, p + HEAD, &n, p + HEAD,
				(int)(*len - HEAD)) == 1;
}

static bool seal_sha1(struct floor *f, struct leg *l, unsigned char *p,
		      size_t *len)
{
	unsigned char iv[16], tag[SHA_DIGEST_LENGTH];
	int n;

	make_iv(f, p, iv);
	if (EVP_CipherInit_ex(l->seal, NULL, NULL, NULL, iv, -1) != 1 ||
	    EVP_CipherUpdate(l->seal, p + HEAD, &n, p + HEAD,
			     (int)(*len - HEAD)) != 1)
		return false;
	hash(f, p, *len, tag);
	memcpy(p + *len, tag, SHA1_TAG);
	*len += SHA1_TAG;
	return true;
}

static bool gcm(struct floor *f, EVP_CIPHER_CTX *c, unsigned char *p,
		size_t len, int tag)
{
	unsigned char iv[16];
	int n;

	make_iv(f, p, iv);
	return EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, -1) == 1 &&
	       EVP_CipherUpdate(c, NULL, &n, p, HEAD) == 1 &&
	       EVP_CipherUpdate(c, p + HEAD, &n, p + HEAD,
				(int)(len - HEAD)) == 1 &&
	       (tag == EVP_CTRL_AEAD_GET_TAG ||
		EVP_CIPHER_CTX_ctrl(c, tag, GCM_TAG, p + len) == 1) &&
	       EVP_CipherFinal_ex(c, p + len, &n) == 1 &&
	       (tag == EVP_CTRL_AEAD_SET_TAG ||
		EVP_CIPHER_CTX_ctrl(c, tag, GCM_TAG, p + len) == 1);
}

/* One packet, in place. */
static bool turn_keys(struct floor *f, struct leg *from, struct leg *to,
		      unsigned char *p, size_t *len)
{
	if (*len < HEAD + GCM_TAG)
		return false;
	if (!f->gcm)
		return open_sha1(f, from, p, len) && seal_sha1(f, to, p, len);
	*len -= GCM_TAG;
	if (!gcm(f, from->open, p, *len, EVP_CTRL_AEAD_SET_TAG) ||
	    !gcm(f, to->seal, p, *len, EVP_CTRL_AEAD_GET_TAG))
		return false;
	*len += GCM_TAG;
	return true;
}

/* --- the loop --------------------------------------------------------- */

/* How long each packet is of those that came as one. */
static size_t segment_of(const struct floor *f, int i)
{
	const struct msghdr *h = &f->msg[i].msg_hdr;
	const struct cmsghdr *c = f->gso ? CMSG_FIRSTHDR(h) : NULL;
	int size = 0;

	if (c && c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
		memcpy(&size, CMSG_DATA(c), sizeof(size));
	return size > 0 ? (size_t)size : f->msg[i].msg_len;
}

/* All packets of a message, in place, for none gets longer. */
static bool turn_all(struct floor *f, unsigned leg, int i, size_t segment)
{
	unsigned char *p = f->iov[i].iov_base;
	size_t left = f->msg[i].msg_len, len, n;

	for (; left; left -= n, p += n) {
		len = n = left < segment ? left : segment;
		if (!turn_keys(f, &f->leg[leg], &f->leg[leg ^ 1], p, &len) ||
		    len != n)
			return false;
	}
	return true;
}

/* What goes out as one, of `n` messages from the first on. */
struct merged {
	unsigned leg, n, segments;
	size_t segment, bytes;
	bool ended;                /* by a shorter one */
};

/* The iovs of messages that follow each other do so, too. */
static bool joins(struct floor *f, struct mmsghdr *out, struct merged *m,
		  unsigned leg, int i, size_t segment)
{
	size_t bytes = f->msg[i].msg_len;
	unsigned n = segment ? (unsigned)((bytes - 1) / segment + 1) : 1;

	if (!f->gso || !out || m->leg != leg || m->ended ||
	    &f->iov[i] != out->msg_hdr.msg_iov + m->n ||
	    segment > m->segment || m->segments + n > SEGMENTS ||
	    (segment < m->segment && n > 1) ||
	    m->bytes + bytes > MERGED_MAX) {
		*m = (struct merged) { leg, 1, n, segment, bytes,
				       bytes % segment != 0 };
		return false;
	}
	out->msg_hdr.msg_iovlen = ++m->n;
	m->segments += n;
	m->bytes += bytes;
	m->ended = bytes % m->segment != 0;
	return true;
}

static void tell_segment(struct floor *f, unsigned at, const struct merged *m)
{
	struct msghdr *h = &f->out[at].msg_hdr;
	struct cmsghdr *c = &f->tell[at].head;
	uint16_t size = (uint16_t)m->segment;

	if (m->segments < 2)
		return;
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	h->msg_control = c;
	h->msg_controllen = CMSG_SPACE(sizeof(size));
}

static unsigned relay(struct floor *f, int n)
{
	struct merged m = { 0 };
	unsigned queued = 0;
	int i;

	for (i = 0; i < n; i++) {
		unsigned leg = f->by_port[ntohs(f->from[i].sin_port)];
		size_t segment = segment_of(f, i);

		if (!leg-- || !turn_all(f, leg, i, segment))
			continue;
		f->iov[i].iov_len = f->msg[i].msg_len;
		if (joins(f, queued ? &f->out[queued - 1] : NULL, &m, leg, i,
			  segment)) {
			tell_segment(f, queued - 1, &m);
			continue;
		}
		f->out[queued] = f->msg[i];
		f->out[queued].msg_hdr.msg_name = &f->leg[leg ^ 1].addr;
		f->out[queued].msg_hdr.msg_control = NULL;
		f->out[queued].msg_hdr.msg_controllen = 0;
		tell_segment(f, queued++, &m);
	}
	return queued;
}

static void make_ready(struct floor *f)
{
	unsigned i;

	for (i = 0; i < BATCH; i++) {
		f->iov[i].iov_len = f->gso ? SIZE : SPREAD;
		if (!f->gso)
			continue;
		f->msg[i].msg_hdr.msg_control = &f->said[i];
		f->msg[i].msg_hdr.msg_controllen = sizeof(f->said[i]);
	}
}

static _Noreturn void run(struct floor *f)
{
	struct timespec tick = { .tv_nsec = f->tick * 1000L };
	unsigned queued, at;
	int n, sent;

	for (;;) {
		n = recvmmsg(f->fd, f->msg, BATCH, MSG_WAITFORONE, NULL);
		queued = relay(f, n);
		for (at = 0; at < queued; at += (unsigned)sent) {
			sent = sendmmsg(f->fd, f->out + at, queued - at, 0);
			if (sent <= 0)
				break;
		}
		make_ready(f);
		if (f->tick && n < BATCH)
			nanosleep(&tick, NULL);
	}
}

/* --- start ------------------------------------------------------------ */

static void prepare_keys(struct floor *f, enum srtp_profile profile,
			 struct srtp_session_keys *k)
{
	unsigned char pad[64];
	struct srtp *s;
	unsigned i;

	if (srtp_new(profile, SRTP_SEALS, SRTP_EVP, peer_key, peer_salt, &s) ||
	    srtp_evp_derive(s->form, peer_key, peer_salt, k))
		peers_die("no keys for the floor");
	srtp_free(s);
	f->gcm = profile == SRTP_PROFILE_GCM128;
	memcpy(f->salt, k->of[0].salt, sizeof(f->salt));
	for (i = 0; i < 64; i++)
		pad[i] = 0x36 ^ (i < 20 ? k->of[0].auth[i] : 0);
	SHA1_Init(&f->inner);
	SHA1_Update(&f->inner, pad, sizeof(pad));
	for (i = 0; i < 64; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&f->outer);
	SHA1_Update(&f->outer, pad, sizeof(pad));
}

static void prepare_legs(struct floor *f, const struct peers *ps,
			 const struct srtp_session_keys *k)
{
	const EVP_CIPHER *c = f->gcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
	unsigned i;

	f->leg = calloc(ps->n, sizeof(*f->leg));
	for (i = 0; f->leg && i < ps->n; i++) {
		struct leg *l = &f->leg[i];

		l->open = EVP_CIPHER_CTX_new();
		l->seal = EVP_CIPHER_CTX_new();
		l->addr.sin_family = AF_INET;
		l->addr.sin_addr.s_addr = inet_addr(bench_ip);
		l->addr.sin_port = htons(ps->list[i].addr.port);
		f->by_port[ps->list[i].addr.port] = (uint16_t)(i + 1);
		if (!l->open || !l->seal ||
		    EVP_CipherInit_ex(l->open, c, NULL, k->of[0].key, NULL,
				      !f->gcm) != 1 ||
		    EVP_CipherInit_ex(l->seal, c, NULL, k->of[0].key, NULL,
				      1) != 1)
			peers_die("no ciphers for the floor");
	}
}

static void prepare_socket(struct floor *f, struct addr *to_r)
{
	struct sockaddr_in s = { .sin_family = AF_INET };
	socklen_t len = sizeof(s);
	const int size = BUFFER, one = 1;
	unsigned i;

	s.sin_addr.s_addr = inet_addr(bench_ip);
	f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || bind(f->fd, (const struct sockaddr *)&s, len) ||
	    getsockname(f->fd, (struct sockaddr *)&s, &len) ||
	    addr_parse(bench_ip, ntohs(s.sin_port), to_r))
		peers_die("no socket for the floor");
	setsockopt(f->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(f->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (f->gso && setsockopt(f->fd, SOL_UDP, UDP_GRO, &one, sizeof(one)))
		peers_die("this system has no UDP_GRO");
	for (i = 0; i < BATCH; i++) {
		struct msghdr *h = &f->msg[i].msg_hdr;

		/* As near to each other as can be. */
		f->iov[i].iov_base = f->gso ? f->bytes[i] :
				     f->bytes[0] + i * SPREAD;
		h->msg_iov = &f->iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &f->from[i];
		h->msg_namelen = sizeof(f->from[i]);
	}
	make_ready(f);
}

pid_t floor_start(const struct peers *ps, enum srtp_profile profile,
		  unsigned tick, bool gso, struct addr *to_r)
{
	struct floor *f = calloc(1, sizeof(*f));
	struct srtp_session_keys k;
	pid_t pid;

	if (!f)
		peers_die("no memory for the floor");
	f->tick = tick;
	f->gso = gso;
	prepare_socket(f, to_r);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_TIMERSLACK, 1);
		prepare_keys(f, profile, &k);
		prepare_legs(f, ps, &k);
		run(f);
	}
	close(f->fd);
	free(f);
	if (pid < 0)
		peers_die("no process for the floor");
	return pid;
}
