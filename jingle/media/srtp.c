/* srtp.c: SRTP for its users: what both back ends need done, the look of
 * packets and the SSRCs there are, before and after they work (see srtp.h).
 */
#include "jingle/media/srtp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "jingle/media/srtp_private.h"

int srtp_new(enum srtp_profile profile, enum srtp_way way,
	     enum srtp_backend backend, const unsigned char *key,
	     const unsigned char *salt, struct srtp **s_r)
{
	const struct srtp_form *form = srtp_form(profile);
	struct srtp *s;
	int rc;

	*s_r = NULL;
	if (!form)
		return EPROTO;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ENOMEM;
	s->form = form;
	s->ops = backend == SRTP_EVP ? &srtp_evp_ops : &srtp_libsrtp_ops;
	s->seals = way == SRTP_SEALS;
	rc = s->ops->start(s, key, salt);
	if (rc) {
		srtp_free(s);
		return rc;
	}
	*s_r = s;
	return 0;
}

void srtp_free(struct srtp *s)
{
	if (!s)
		return;
	s->ops->stop(s);
	free(s->streams.of);
	free(s);
}

static size_t trailer(const struct srtp *s, bool rtcp)
{
	return s->form->tag[rtcp] + (rtcp ? 4 : 0);
}

/* Of an SSRC that is new: it is one of ours, or his, from now on. */
static void keep(struct srtp *s, const struct srtp_stream *st)
{
	if (st == s->streams.of + s->streams.n)
		s->streams.n++;
}

static int seal(struct srtp *s, struct srtp_packet *p, size_t *len,
		size_t size)
{
	struct srtp_stream *st;
	size_t more = trailer(s, p->rtcp);
	int rc;

	assert(s->seals);
	rc = srtp_packet_look(p, 0);
	if (rc)
		return rc;
	if (p->len > SRTP_PACKET_MAX - more)
		return EBADMSG;
	if (size < p->len + more)
		return ENOSPC;
	rc = srtp_streams_get(&s->streams, p->ssrc, &st);
	if (rc)
		return rc;
	rc = s->ops->seal(s, st, p);
	/* Also after a failure: its index may be used up. */
	keep(s, st);
	if (!rc)
		*len = p->len;
	return rc;
}

int srtp_seal_rtp(struct srtp *s, void *packet, size_t *len, size_t size)
{
	struct srtp_packet p = { .bytes = packet, .len = *len };

	return seal(s, &p, len, size);
}

int srtp_seal_rtcp(struct srtp *s, void *packet, size_t *len, size_t size)
{
	struct srtp_packet p = { .bytes = packet, .len = *len, .rtcp = true };

	return seal(s, &p, len, size);
}

/* Takes the index from a packet's end; EACCES: not encrypted, which we never
 * agree on, and which both back ends must see alike. */
static int take_index(const struct srtp *s, struct srtp_packet *p)
{
	size_t after = 4 + (s->form->gcm ? 0 : s->form->tag[1]);

	p->index = get32(p->bytes + p->len - after);
	if (!(p->index & SRTP_E_FLAG))
		return EACCES;
	p->index &= ~SRTP_E_FLAG;
	return 0;
}

static int open_any(struct srtp *s, struct srtp_packet *p, size_t *len)
{
	struct srtp_stream *st;
	int rc;

	assert(!s->seals);
	rc = srtp_packet_look(p, trailer(s, p->rtcp));
	if (!rc && p->rtcp)
		rc = take_index(s, p);
	if (!rc)
		rc = srtp_streams_get(&s->streams, p->ssrc, &st);
	if (!rc)
		rc = s->ops->open(s, st, p);
	if (rc)
		return rc;
	keep(s, st);
	*len = p->len;
	return 0;
}

int srtp_open_rtp(struct srtp *s, void *packet, size_t *len)
{
	struct srtp_packet p = { .bytes = packet, .len = *len };

	return open_any(s, &p, len);
}

int srtp_open_rtcp(struct srtp *s, void *packet, size_t *len)
{
	struct srtp_packet p = { .bytes = packet, .len = *len, .rtcp = true };

	return open_any(s, &p, len);
}
