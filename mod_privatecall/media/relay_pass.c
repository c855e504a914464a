/* relay_pass.c: datagrams with DTLS and SRTP: of whom they are, what waits,
 * and mode `blind`, where they go to the other side as they came (see relay.h).
 */
#include "mod_privatecall/media/relay_private.h"

#include <string.h>

/* Where a record of a handshake says what kind of message (RFC 6347, 4.2.2). */
#define DTLS_MESSAGE_AT 13
#define DTLS_CLIENT_HELLO 1

struct leg *relay_other(struct leg *l)
{
	return &l->transport->leg[l->side == WIRE_CALLER ? WIRE_CALLEE :
							   WIRE_CALLER];
}

void pass_drop(struct relay *r, struct leg *l, enum wire_drop why)
{
	r->dropped[why]++;
	l->transport->call->sum.dropped[why]++;
}

void pass_send(struct relay *r, struct leg *to, const void *bytes, size_t len)
{
	to->traffic.out_packets++;
	to->traffic.out_bytes += len;
	r->to.send(ice_selected(&to->agent), bytes, len, r->arg);
}

/* --- what waits ------------------------------------------------------- */

static void unhold(struct relay *r, struct held *h)
{
	h->leg->held--;
	h->leg->transport->call->held--;
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
			pass_drop(r, h->leg, WIRE_TOO_EARLY);
			unhold(r, h);
		} else if (h->until < r->held_until) {
			r->held_until = h->until;
		}
	}
}

void pass_held(struct relay *r, struct leg *l,
	       void (*take_h)(struct relay *r, struct leg *l,
			      const unsigned char *bytes, size_t len))
{
	struct held *h, *first;

	while (l->held) {
		first = NULL;
		for (h = r->held; h < r->held + RELAY_HELD_MAX; h++)
			if (h->leg == l && (!first || h->order < first->order))
				first = h;
		take_h(r, l, first->bytes, first->len);
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

static unsigned held_by_call(const struct held *h)
{
	return h->leg->transport->call->held;
}

/* All places are taken: the call that has most of them gives up its oldest one,
 * so that no call takes those of all others. False: this call has most. */
static bool make_place(struct relay *r, const struct leg *l)
{
	struct held *h, *most = r->held;

	for (h = r->held; h < r->held + RELAY_HELD_MAX; h++)
		if (held_by_call(h) > held_by_call(most) ||
		    (held_by_call(h) == held_by_call(most) &&
		     h->order < most->order))
			most = h;
	if (held_by_call(most) <= l->transport->call->held + 1u)
		return false;
	pass_drop(r, most->leg, WIRE_TOO_EARLY);
	unhold(r, most);
	return true;
}

void pass_hold(struct relay *r, struct leg *l, const void *bytes, size_t len)
{
	struct held *h = r->held;

	if (l->held == RELAY_HELD_OF_LEG || len > RELAY_HELD_SIZE ||
	    (r->n_held == RELAY_HELD_MAX && !make_place(r, l))) {
		pass_drop(r, l, WIRE_TOO_EARLY);
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
	l->transport->call->held++;
	r->n_held++;
	if (h->until < r->held_until)
		r->held_until = h->until;
}

/* --- packets ---------------------------------------------------------- */

bool pass_is_hello(const unsigned char *bytes, size_t len)
{
	return len > DTLS_MESSAGE_AT && bytes[0] == DTLS_HANDSHAKE &&
	       bytes[DTLS_MESSAGE_AT] == DTLS_CLIENT_HELLO;
}

void pass_on(struct relay *r, struct leg *l, const unsigned char *bytes,
	     size_t len)
{
	pass_send(r, relay_other(l), bytes, len);
}

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
	struct leg *l = table_seen(r, from);

	if (!l) {
		r->count[RELAY_N_STRANGERS]++;
		return;
	}
	if (!ice_accepts(&l->agent, from)) {
		pass_drop(r, l, WIRE_NOT_VALIDATED);
		return;
	}
	if (kind == DEMUX_OTHER) {
		pass_drop(r, l, WIRE_OTHER_KIND);
		return;
	}
	if (l->room) {
		room_packet(r, l, kind, bytes, len);
		return;
	}
	l->traffic.in_packets++;
	l->traffic.in_bytes += len;
	say_kind(r, l, kind, bytes);
	if (ice_selected(&relay_other(l)->agent))
		pass_on(r, l, bytes, len);
	else if (pass_is_hello(bytes, len))
		pass_hold(r, l, bytes, len);
	else
		pass_drop(r, l, WIRE_NOBODY);
}
