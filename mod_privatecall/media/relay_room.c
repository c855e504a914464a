/* relay_room.c: mode `room`: DTLS and SRTP end here, once for each leg; what
 * one leg's keys open the other's close, with the numbers that he knows (see
 * relay.h, jingle/media/rewrite.h).
 *
 * A leg's handshake begins when his fingerprint is known (SECURITY) and ICE has
 * a way to him; until then a ClientHello waits, as in mode `blind`. Packets end
 * no leg: there are keys once the certificate is that of the fingerprint, and
 * what they do not open is dropped.
 */
#include "mod_privatecall/media/relay_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- life ------------------------------------------------------------- */

bool room_new(struct leg *l)
{
	l->room = calloc(1, sizeof(*l->room));
	return l->room;
}

static void forget_keys(struct room_leg *room)
{
	dtls_srtp_free(room->dtls);
	srtp_free(room->in);
	srtp_free(room->out);
	room->dtls = NULL;
	room->in = room->out = NULL;
	room->done = false;
	room->sees = false;
	room->troubles = 0;
	room->why = room->alert = NULL;
}

void room_sum(struct leg *l)
{
	struct call *c = l->transport->call;
	struct rewrite_heard *sum = &c->heard[l->side], *h;
	unsigned i;

	if (!l->room)
		return;
	h = &l->room->sends.heard;
	sum->missing += h->missing;
	sum->lost += h->lost;
	sum->reports += h->reports;
	sum->jitter += h->jitter;
	sum->trips += h->trips;
	sum->trip += h->trip;
	for (i = 0; i < REWRITE_COUNTS; i++)
		c->sum.rewritten[i] += l->room->sends.count[i];
}

/* --- media apart ------------------------------------------------------- */

/* His leg whose numbers go on. */
static struct leg *home_of(struct leg *l)
{
	return l->room->home ? l->room->home : l;
}

/* The other's of those numbers. */
static struct leg *others_home(struct leg *l)
{
	return relay_other(home_of(l));
}

/* Of a leg at home: where media go to him. */
static struct leg *way_to(struct leg *l, unsigned media)
{
	return l->room->way[media] ? l->room->way[media] : l;
}

static void leave_home(struct leg *l)
{
	struct leg **way;
	unsigned i;

	for (i = 0; l->room->home && i < REWRITE_MEDIA; i++) {
		way = &l->room->home->room->way[i];
		if (*way == l)
			*way = NULL;
	}
	l->room->home = NULL;
}

/* None has its home or its way here any more. */
static void part(struct leg *l)
{
	unsigned i;

	leave_home(l);
	for (i = 0; i < REWRITE_MEDIA; i++)
		if (l->room->way[i])
			l->room->way[i]->room->home = NULL;
	memset(l->room->way, 0, sizeof(l->room->way));
}

static bool is_anybodys_home(const struct leg *l)
{
	return l->room->way[REWRITE_AUDIO] || l->room->way[REWRITE_VIDEO];
}

void room_join(struct relay *r, struct leg *l, const struct wire_join *join)
{
	struct transport *t = l->transport->call->transport[join->home];
	struct leg *home = t ? &t->leg[l->side] : NULL, **way;

	/* At home is who has no home, and the other way round. */
	if (!l->room || !home || home->room->home || is_anybodys_home(l)) {
		r->count[RELAY_N_UNKNOWN]++;
		return;
	}
	leave_home(l);
	way = &home->room->way[join->media];
	if (*way)
		(*way)->room->home = NULL;
	*way = l;
	l->room->home = home;
}

void room_free(struct leg *l)
{
	struct room_leg *room = l->room;

	if (!room)
		return;
	part(l);
	forget_keys(room);
	free(room);
	l->room = NULL;
}

/* For the other side, who knows nothing of his media yet. */
static void begin_sending(struct relay *r, struct leg *l)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char entropy[ICE_ENTROPY_SIZE];
	char cname[REWRITE_CNAME_SIZE];
	unsigned i;

	r->to.entropy(entropy, r->arg);
	for (i = 0; i < REWRITE_CNAME_SIZE; i++)
		cname[i] = letters[entropy[i] & 63];
	rewrite_init(&l->room->sends, cname);
}

void room_begin(struct relay *r, struct transport *t)
{
	if (!t->leg[0].room)
		return;
	begin_sending(r, &t->leg[WIRE_CALLER]);
	begin_sending(r, &t->leg[WIRE_CALLEE]);
}

void room_renew(struct relay *r, struct leg *l)
{
	part(l);
	forget_keys(l->room);
	rewrite_switch(&l->room->sends);
	room_sum(relay_other(l));
	begin_sending(r, relay_other(l));
}

void room_map(struct relay *r, struct leg *l, const struct rewrite_map *map)
{
	if (l->room)
		rewrite_set_map(&l->room->sends, map);
	else
		r->count[RELAY_N_UNKNOWN]++;
}

/* --- to a leg ---------------------------------------------------------- */

/* What is in r->packet goes to him; `from`: whose it is. */
static void seal(struct relay *r, struct leg *from, struct leg *to, bool rtcp,
		 size_t len)
{
	struct srtp *out = to->room->out;
	int err;

	if (!out) {
		pass_drop(r, from, WIRE_NO_KEYS);
		return;
	}
	if (!ice_selected(&to->agent)) {
		pass_drop(r, from, WIRE_NOBODY);
		return;
	}
	/* It may have grown, by our SDES or a longer tag than his. */
	err = rtcp ? srtp_seal_rtcp(out, r->packet, &len, RELAY_PACKET_MAX) :
		     srtp_seal_rtp(out, r->packet, &len, RELAY_PACKET_MAX);
	if (err)
		pass_drop(r, from, err == EALREADY ? WIRE_REPLAYED :
						     WIRE_NOT_RTP);
	else
		pass_send(r, to, r->packet, len);
}

/* The pictures of `l`, a leg at home, as a whole: who sees them has just come,
 * and what was sent before he lacks. */
static void ask_for_pictures(struct relay *r, struct leg *l)
{
	size_t len = rewrite_pli(&l->room->sends, &relay_other(l)->room->sends,
				 r->packet);
	struct leg *to = way_to(l, REWRITE_VIDEO);

	if (len && to->room->out && ice_selected(&to->agent))
		seal(r, to, to, true, len);
}

/* --- DTLS ------------------------------------------------------------- */

static int take_keys(struct relay *r, struct room_leg *room)
{
	struct dtls_srtp_keys k;
	int err = dtls_srtp_take_keys(room->dtls, &k);

	if (!err)
		err = srtp_new(k.profile, SRTP_OPENS, r->config.srtp,
			       k.his_key, k.his_salt, &room->in);
	if (!err)
		err = srtp_new(k.profile, SRTP_SEALS, r->config.srtp,
			       k.our_key, k.our_salt, &room->out);
	dtls_srtp_keys_wipe(&k);
	return err;
}

/* The result of the handshake is said once. */
static void say_result(struct relay *r, struct leg *l)
{
	struct room_leg *room = l->room;

	switch (dtls_srtp_state(room->dtls)) {
	case DTLS_SRTP_DONE:
	case DTLS_SRTP_CLOSED:
		room->done = true;
		if (take_keys(r, room))
			break;
		relay_say_step(r, l, WIRE_SECURE);
		ask_for_pictures(r, others_home(l));
		break;
	case DTLS_SRTP_WRONG_CERTIFICATE:
		room->done = true;
		relay_say_step(r, l, WIRE_INSECURE);
		break;
	default:
		break;
	}
}

static void say_trouble(struct relay *r, struct leg *l, const char *before,
			const char *text)
{
	struct wire_msg m;

	if (l->room->troubles == TROUBLES_MAX)
		return;
	l->room->troubles++;
	wire_begin(&m, WIRE_TROUBLE, l->transport->call->id);
	m.transport = l->transport->number;
	m.side = l->side;
	snprintf(m.trouble.text, sizeof(m.trouble.text), "%s%s", before, text);
	r->to.say(&m, r->arg);
}

/* Why a handshake may never end. (Another's certificate is said as such.) */
static void look_for_trouble(struct relay *r, struct leg *l)
{
	struct room_leg *room = l->room;
	const char *why = dtls_srtp_why(room->dtls);
	const char *alert = dtls_srtp_alert(room->dtls);

	if (why && why != room->why)
		say_trouble(r, l, "", why);
	if (alert && alert != room->alert)
		say_trouble(r, l, "his alert: ", alert);
	room->why = why;
	room->alert = alert;
}

/* After each step of his association: what it sends, and what it is now. */
static void follow(struct relay *r, struct leg *l)
{
	unsigned i;

	for (i = 0; i < r->dtls.n && ice_selected(&l->agent); i++)
		pass_send(r, l, r->dtls.datagram[i].bytes,
			  r->dtls.datagram[i].len);
	if (!l->room->done)
		say_result(r, l);
	if (!l->room->done)
		look_for_trouble(r, l);
	relay_settle(r, l);
}

static void feed(struct relay *r, struct leg *l, const unsigned char *bytes,
		 size_t len)
{
	dtls_srtp_feed(l->room->dtls, r->now, bytes, len, &r->dtls);
	follow(r, l);
}

/* May packets of DTLS go to him? */
static bool may_begin(const struct leg *l)
{
	return l->room->dtls && ice_selected(&l->agent);
}

void room_time(struct relay *r, struct leg *l)
{
	if (!l->room || r->now < room_deadline(l))
		return;
	dtls_srtp_time(l->room->dtls, r->now, &r->dtls);
	follow(r, l);
}

int64_t room_deadline(const struct leg *l)
{
	return l->room && may_begin(l) ? dtls_srtp_deadline(l->room->dtls) :
					 INT64_MAX;
}

void room_connected(struct relay *r, struct leg *l)
{
	if (!may_begin(l))
		return;
	pass_held(r, l, feed);
	room_time(r, l);
	relay_settle(r, l);
}

void room_secure(struct relay *r, struct leg *l,
		 const struct wire_security *s)
{
	const struct wire_fingerprint *f = &s->fingerprint;
	struct room_leg *room = l->room;

	if (!room) {
		r->count[RELAY_N_UNKNOWN]++;
		return;
	}
	/* Without memory he never gets keys, and control's time runs out. */
	if (!room->dtls && dtls_srtp_new(l->transport->call->identity,
					 s->active, &room->dtls))
		return;
	/* A hash that nobody here can compute is as good as a wrong one. */
	if (dtls_srtp_expect(room->dtls, f->hash, f->value, f->len) ==
	    EPROTONOSUPPORT)
		relay_say_step(r, l, WIRE_INSECURE);
	if (!room->done)
		say_result(r, l);
	room_connected(r, l);
}

static void take_dtls(struct relay *r, struct leg *l,
		      const unsigned char *bytes, size_t len)
{
	l->traffic.in_packets++;
	l->traffic.in_bytes += len;
	if (bytes[0] == DTLS_HANDSHAKE)
		relay_say_step(r, l, WIRE_DTLS);
	if (may_begin(l))
		feed(r, l, bytes, len);
	else if (pass_is_hello(bytes, len))
		pass_hold(r, l, bytes, len);
	else
		pass_drop(r, l, WIRE_TOO_EARLY);
}

/* --- SRTP from a leg ---------------------------------------------------- */

/* Opens what is in r->packet. */
static bool open_srtp(struct relay *r, struct leg *l, bool rtcp, size_t *len)
{
	struct srtp *in = l->room->in;
	int err = rtcp ? srtp_open_rtcp(in, r->packet, len) :
			 srtp_open_rtp(in, r->packet, len);

	if (err)
		pass_drop(r, l, err == EACCES ? WIRE_NOT_AUTHENTIC :
			  err == EALREADY ? WIRE_REPLAYED : WIRE_NOT_RTP);
	return !err;
}

/* To the leg of the media that it is about; if of both or none, to all that he
 * has: nobody minds what he hears of a stream that he has not there (RFC 3550,
 * 6.4). */
static void pass_rtcp(struct relay *r, struct leg *l, struct leg *to,
		      size_t len)
{
	unsigned about = home_of(l)->room->sends.about;
	unsigned char copy[RELAY_PACKET_SIZE];
	struct leg *audio = way_to(to, REWRITE_AUDIO);
	struct leg *video = way_to(to, REWRITE_VIDEO);

	if (about == 1u << REWRITE_AUDIO || audio == video) {
		seal(r, l, audio, true, len);
		return;
	}
	if (about == 1u << REWRITE_VIDEO) {
		seal(r, l, video, true, len);
		return;
	}
	memcpy(copy, r->packet, len);
	seal(r, l, audio, true, len);
	memcpy(r->packet, copy, len);
	seal(r, l, video, true, len);
}

/* RTCP that ends here is not dropped. */
static void pass_numbers(struct relay *r, struct leg *l, bool rtcp,
			 size_t len)
{
	struct leg *to = others_home(l);
	struct rewrite *sends = &home_of(l)->room->sends;
	unsigned media;

	if (rtcp) {
		len = rewrite_rtcp(sends, &to->room->sends, r->now, r->packet,
				   len, sizeof(r->packet));
		if (len)
			pass_rtcp(r, l, to, len);
		return;
	}
	media = rewrite_media_of(sends, r->packet);
	if (rewrite_rtp(sends, r->now, r->packet, len))
		seal(r, l, way_to(to, media), false, len);
	else
		pass_drop(r, l, WIRE_NOT_MAPPED);
}

/* His first report of a picture has passed. */
static bool sees_first(struct leg *l, uint64_t before)
{
	if (l->room->sees ||
	    others_home(l)->room->sends.heard.pictures == before)
		return false;
	l->room->sees = true;
	return true;
}

static void take_srtp(struct relay *r, struct leg *l,
		      const unsigned char *bytes, size_t len)
{
	bool first = !(l->steps & 1u << WIRE_MEDIA);
	uint64_t pictures = others_home(l)->room->sends.heard.pictures;
	bool rtcp = rtp_packet_is_rtcp(bytes, len);
	size_t sealed = len;

	if (!l->room->in) {
		pass_drop(r, l, WIRE_NO_KEYS);
		return;
	}
	if (len > RELAY_PACKET_MAX) {
		pass_drop(r, l, WIRE_NOT_RTP);
		return;
	}
	memcpy(r->packet, bytes, len);
	if (!open_srtp(r, l, rtcp, &len))
		return;
	l->traffic.in_packets++;
	l->traffic.in_bytes += sealed;
	if (dtls_srtp_heavy(l->room->dtls)) {
		dtls_srtp_settled(l->room->dtls);
		relay_settle(r, l);
	}
	relay_say_step(r, l, WIRE_MEDIA);
	pass_numbers(r, l, rtcp, len);
	/* What came before he was ready to send, or to take a picture in, he
	 * may have passed over, and he lacks it without knowing (aiortc). */
	if (sees_first(l, pictures) || first)
		ask_for_pictures(r, others_home(l));
}

void room_packet(struct relay *r, struct leg *l, enum demux kind,
		 const unsigned char *bytes, size_t len)
{
	if (kind == DEMUX_RTP)
		take_srtp(r, l, bytes, len);
	else
		take_dtls(r, l, bytes, len);
}

void room_check(const struct leg *l)
{
	const struct leg *home, *way;
	unsigned i, ways = 0;

	if (!l->room)
		return;
	rewrite_check(&l->room->sends);
	home = l->room->home;
	for (i = 0; i < REWRITE_MEDIA; i++) {
		ways += home && home->room->way[i] == l;
		way = l->room->way[i];
		assert(!way || way->room->home == l);
	}
	assert(ways == !!home);
	assert(!home || (home != l && home->side == l->side &&
			 home->transport->call == l->transport->call));
	/* At home is who has no home, and the other way round. */
	assert(!home || (!home->room->home && !is_anybodys_home(l)));
}
