/* traffic.c: what privatecall-media counted of a round: a line in the log, a
 * record that `privatecallctl log` shows. It is JSON in the database, so that
 * a count more needs no other schema.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/media/wire.h"

static const char *const side_keys[WIRE_SIDES] = { "caller", "callee" };

static json_t *known(bool is_known, uint64_t n)
{
	return is_known ? json_integer((json_int_t)n) : json_null();
}

static json_t *side_json(const struct wire_closed *c, unsigned side)
{
	const struct wire_traffic *t = &c->side[side];
	const struct wire_quality *q = &c->quality[side];

	return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}",
			 "in_packets", (json_int_t)t->in_packets,
			 "in_bytes", (json_int_t)t->in_bytes,
			 "out_packets", (json_int_t)t->out_packets,
			 "out_bytes", (json_int_t)t->out_bytes,
			 "missing", known(c->mode == WIRE_ROOM, q->missing),
			 "lost", known(q->reports, q->lost),
			 "jitter_us", known(q->reports, q->jitter),
			 "round_trip_ms", known(q->trips, q->trip));
}

static json_t *counts_json(const struct wire_closed *c)
{
	json_t *counts = json_object();
	unsigned i;

	for (i = 0; i < WIRE_DROPS; i++)
		if (c->dropped[i])
			json_object_set_new(counts, wire_drop_name(i),
				json_integer((json_int_t)c->dropped[i]));
	for (i = 0; i < REWRITE_COUNTS; i++)
		if (c->rewritten[i])
			json_object_set_new(counts, rewrite_count_name(i),
				json_integer((json_int_t)c->rewritten[i]));
	return counts;
}

static void store(struct daemon *dm, const char *call, unsigned round,
		  const json_t *all)
{
	struct store_op op = { .kind = STORE_TRAFFIC_PUT };
	char *text = json_dumps(all, JSON_COMPACT);

	op.u.traffic.call = call;
	op.u.traffic.round = round;
	op.u.traffic.ended = clock_wall();
	op.u.traffic.figures = text;
	if (text)
		hold_store(dm, &op);
	free(text);
}

/* "in_packets:5,..." of an object; unknown ones are left out. */
static char *words_of(json_t *object)
{
	const char *key;
	char *text = NULL;
	size_t len;
	json_t *value;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	json_object_foreach(object, key, value)
		if (json_is_integer(value))
			fprintf(out, "%s%s:%" JSON_INTEGER_FORMAT,
				ftell(out) ? "," : "", key,
				json_integer_value(value));
	fclose(out);
	return text;
}

void traffic_closed(struct daemon *dm, const char *call,
		    const struct wire_closed *c)
{
	json_t *all = json_pack("{s:o,s:o,s:o}",
				side_keys[0], side_json(c, WIRE_CALLER),
				side_keys[1], side_json(c, WIRE_CALLEE),
				"counts", counts_json(c));
	char round[16], *words[3];
	unsigned i;

	/* It did not know the call, or nothing came: there is no record. */
	if (c->round && (c->side[0].in_packets || c->side[1].in_packets)) {
		snprintf(round, sizeof(round), "%u", (unsigned)c->round);
		for (i = 0; i < 2; i++)
			words[i] = words_of(json_object_get(all,
							    side_keys[i]));
		words[2] = words_of(json_object_get(all, "counts"));
		log_line(LOG_INFO, "media of the call", "call", call, "round",
			 round, "caller", words[0], "callee", words[1],
			 "not_passed", words[2] && *words[2] ? words[2] : NULL,
			 NULL);
		store(dm, call, c->round, all);
		for (i = 0; i < 3; i++)
			free(words[i]);
	}
	json_decref(all);
}

json_t *traffic_json(const char *figures)
{
	json_t *all = figures ? json_loads(figures, 0, NULL) : NULL;

	return all ? all : json_null();
}

static void put_side(FILE *out, const json_t *all, const char *who)
{
	json_t *side = json_object_get(all, who);
	json_int_t in = 0, in_bytes = 0, to = 0, to_bytes = 0;
	const json_t *missing = json_object_get(side, "missing");
	const json_t *lost = json_object_get(side, "lost");
	const json_t *jitter = json_object_get(side, "jitter_us");
	const json_t *trip = json_object_get(side, "round_trip_ms");

	if (json_unpack(side, "{s:I,s:I,s:I,s:I}", "in_packets",
			&in, "in_bytes", &in_bytes, "out_packets", &to,
			"out_bytes", &to_bytes))
		return;
	fprintf(out, "    from the %s %" JSON_INTEGER_FORMAT " packets, %"
		JSON_INTEGER_FORMAT " bytes", who, in, in_bytes);
	if (json_is_integer(missing))
		fprintf(out, ", %" JSON_INTEGER_FORMAT " missing",
			json_integer_value(missing));
	fprintf(out, "; to him %" JSON_INTEGER_FORMAT " packets, %"
		JSON_INTEGER_FORMAT " bytes", to, to_bytes);
	if (json_is_integer(lost))
		fprintf(out, ", %" JSON_INTEGER_FORMAT " lost",
			json_integer_value(lost));
	if (json_is_integer(jitter))
		fprintf(out, ", jitter %.1f ms",
			(double)json_integer_value(jitter) / 1000);
	if (json_is_integer(trip))
		fprintf(out, ", round trip %" JSON_INTEGER_FORMAT " ms",
			json_integer_value(trip));
	fputc('\n', out);
}

void traffic_put(FILE *out, const char *figures)
{
	json_t *all = traffic_json(figures);

	put_side(out, all, side_keys[0]);
	put_side(out, all, side_keys[1]);
	json_decref(all);
}
