/* relay_pass.c: DTLS and SRTP of one side go to the other, as they came (see
 * relay.h).
 */
#include "mod_privatecall/media/relay_private.h"

#include <string.h>
#include "jingle/media/demux.h"

/* A DTLS record (RFC 6347, 4.1, 4.2.2): what it holds, and of a handshake the
 * kind of message. */
#define DTLS_HANDSHAKE 22
#define DTLS_MESSAGE_AT 13
#define DTLS_CLIENT_HELLO 1

struct leg *relay_other(struct leg *l)
{
	return &l->transport->leg[l->side == WIRE_CALLER ? WIRE_CALLEE :
							   WIRE_CALLER];
}

static void drop(struct relay *r, struct leg *l, enum wire_drop why)
{
	r->dropped[why]++;
	l->transport->call->sum.dropped[why]++;
}

static void send_on(struct relay *r, struct leg *to, const void *bytes,
		    size_t len)
{
	to->traffic.out_packets++;
	to->traffic.out_bytes += len;
	r->to.send(ice_selected(&to->agent), bytes, len, r->arg);
}

/* --- what waits ------------------------------------------------------- */

static void unhold(struct relay *r, struct held *h)
{
	h->leg->held--;
	h->leg = NULL;
	r->n_held--;
}

/* All that wait do so for the same time, and one that was given up makes the
 * rest no later: the next is looked for only when one is due. */
void pass_expire(struct relay *r)
{
	struct held *h;

	if (r->now < r->held_until)
		return;
	r->held_until = INT64_MAX;
	for (h = r->held; h < r->held + RELAY_HELD_MAX; h++) {
		if (!h->leg)
			continue;
		if (r->now >= h->until) {
			drop(r, h->leg, WIRE_TOO_EARLY);
			unhold(r, h);
		} else if (h->until < r->held_until) {
			r->held_until = h->until;
		}
	}
}

void pass_held(struct relay *r, struct leg *l)
{
	struct held *h, *first;

	while (l->held) {
		first = NULL;
		for (h = r->held; h < r->held + RELAY_HELD_MAX; h++)
			if (h->leg == l && (!first || h->order < first->order))
				first = h;
		send_on(r, relay_other(l), first->bytes, first->len);
		unhold(r, first);
	}
}

void pass_forget(struct relay *r, struct leg *l)
{
	struct held *h;

	for (h = r->held; l->held && h < r->held + RELAY_HELD_MAX; h++)
		if (h->leg == l)
			unhold(r, h);
}

static void hold(struct relay *r, struct leg *l, const void *bytes,
		 size_t len)
{
	struct held *h = r->held;

	if (l->held == RELAY_HELD_OF_LEG || r->n_held == RELAY_HELD_MAX ||
	    len > RELAY_HELD_SIZE) {
		drop(r, l, WIRE_TOO_EARLY);
		return;
	}
	while (h->leg)
		h++;
	h->leg = l;
	h->until = r->now + RELAY_HELD_MS;
	h->order = ++r->order;
	h->len = len;
	memcpy(h->bytes, bytes, len);
	l->held++;
	r->n_held++;
	if (h->until < r->held_until)
		r->held_until = h->until;
}

/* --- packets ---------------------------------------------------------- */

/* What a leg has come to is said once; what is no handshake and no media
 * (alerts, data channels) says nothing. */
static void say_kind(struct relay *r, struct leg *l, enum demux kind,
		     const unsigned char *bytes)
{
	if (kind == DEMUX_RTP)
		relay_say_step(r, l, WIRE_MEDIA);
	else if (bytes[0] == DTLS_HANDSHAKE)
		relay_say_step(r, l, WIRE_DTLS);
}

void pass_packet(struct relay *r, const struct addr *from,
		 const unsigned char *bytes, size_t len)
{
	enum demux kind = demux_kind(bytes, len);
	struct leg *l = table_seen(r, from), *to;

	if (!l) {
		r->count[RELAY_N_STRANGERS]++;
		return;
	}
	to = relay_other(l);
	if (!ice_accepts(&l->agent, from)) {
		drop(r, l, WIRE_NOT_VALIDATED);
		return;
	}
	if (kind == DEMUX_OTHER) {
		drop(r, l, WIRE_OTHER_KIND);
		return;
	}
	l->traffic.in_packets++;
	l->traffic.in_bytes += len;
	say_kind(r, l, kind, bytes);
	if (ice_selected(&to->agent))
		send_on(r, to, bytes, len);
	else if (len > DTLS_MESSAGE_AT && bytes[0] == DTLS_HANDSHAKE &&
		 bytes[DTLS_MESSAGE_AT] == DTLS_CLIENT_HELLO)
		hold(r, l, bytes, len);
	else
		drop(r, l, WIRE_NOBODY);
}
