/* status.c: how the daemon stands: `privatecallctl status` (X11). */
#include "mod_privatecall/daemon/daemon.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "mod_privatecall/daemon/clock.h"

void status_time(int64_t ms, char out[32])
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	snprintf(out, 32, "-");
	if (ms && gmtime_r(&s, &tm))
		strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *link_word(const struct daemon *dm)
{
	switch (link_state(dm->link)) {
	case LINK_UP:
		return "connected";
	case LINK_CONNECTING:
		return "connecting";
	default:
		return "down";
	}
}

void status_put_link(FILE *out, const struct daemon *dm, const char *indent)
{
	bool up = link_state(dm->link) == LINK_UP;
	int64_t next = uplink_next(dm);
	char when[32], *mend;

	status_time(dm->uplink.since, when);
	fprintf(out, "%s (%s) since %s", link_word(dm), dm->conf->domain,
		when);
	if (next)
		fprintf(out, ", next attempt in %lld s",
			(long long)(next - clock_wall() + 999) / 1000);
	if (up && dm->uplink.lost) {
		status_time(dm->uplink.lost, when);
		fprintf(out, "\n%slost at %s: %s (%s)", indent, when,
			uplink_what(dm), dm->uplink.why);
	} else if (!up && dm->uplink.why) {
		mend = uplink_mend(dm);
		fprintf(out, "\n%s%s (%s)\n%sto mend: %s", indent,
			uplink_what(dm), dm->uplink.why, indent,
			mend ? mend : "-");
		free(mend);
	}
	fputc('\n', out);
}

json_t *status_link_json(const struct daemon *dm)
{
	bool up = link_state(dm->link) == LINK_UP;
	char *mend = up ? NULL : uplink_mend(dm);
	struct link_counters lc;
	json_t *data;

	link_counters(dm->link, &lc);
	data = json_pack("{s:s,s:o,s:o,s:s?,s:s?,s:s?,s:o,s:I,s:I}",
			 "state", link_word(dm),
			 "since", status_time_json(dm->uplink.since),
			 "next_attempt", status_time_json(uplink_next(dm)),
			 "why", dm->uplink.why, "what", uplink_what(dm),
			 "mend", mend,
			 "lost", status_time_json(dm->uplink.lost),
			 "reconnects", (json_int_t)lc.reconnects,
			 "pauses", (json_int_t)lc.pauses);
	free(mend);
	return data;
}

void status_put_switch(FILE *out, const struct daemon *dm, const char *name)
{
	bool configured, switched;
	bool on = switches_get(dm, name, &configured, &switched);

	fputs(on ? "on" : "off", out);
	if (!switched)
		return;
	fputs(" (by privatecallctl; the configuration says ", out);
	if (on == configured)
		fputs("the same)", out);
	else
		fprintf(out, "%s, `privatecallctl default %s' goes back to "
			"it)", configured ? "on" : "off", name);
}

json_t *status_time_json(int64_t ms)
{
	return ms ? json_integer(ms) : json_null();
}

void status_put_media(FILE *out, const struct daemon *dm)
{
	const char *mode = media_mode_name(dm->site.media);

	fputs(mode, out);
	if (dm->site.media == MODE_DIRECT)
		return;
	if (media_is_up(dm))
		fprintf(out, ", privatecall-media %s%s", media_release(dm),
			media_takes_calls(dm) ? "" :
			", TAKES NO CALLS: it drains, or has its most calls");
	else
		fprintf(out, ", privatecall-media IS AWAY (%s: %s), calls are "
			"refused: %s", dm->conf->media_socket, media_why(dm),
			media_mend(dm));
}

json_t *status_media_json(const struct daemon *dm)
{
	bool needed = dm->site.media != MODE_DIRECT;

	return json_pack("{s:s,s:s?,s:o,s:b,s:s?,s:s?,s:s?}",
			 "mode", media_mode_name(dm->site.media), "socket",
			 needed ? dm->conf->media_socket : NULL,
			 "up", needed ? json_boolean(media_is_up(dm)) :
					json_null(),
			 "takes_calls", !needed || media_takes_calls(dm),
			 "version", media_release(dm),
			 "why", needed ? media_why(dm) : NULL,
			 "mend", needed ? media_mend(dm) : NULL);
}

json_t *status_database_json(const struct daemon *dm)
{
	size_t ops, bytes;

	store_thread_backlog(dm->thread, &ops, &bytes);
	return json_pack("{s:s,s:b,s:I}", "path", dm->conf->database,
			 "degraded", dm->degraded, "backlog",
			 (json_int_t)ops);
}

json_t *status_switch_json(const struct daemon *dm, const char *name)
{
	bool configured, switched;
	bool on = switches_get(dm, name, &configured, &switched);

	return json_pack("{s:b,s:b,s:b}", "on", on, "configured", configured,
			 "switched", switched);
}

static void put_status(FILE *out, const struct daemon *dm)
{
	fputs("server          ", out);
	status_put_link(out, dm, "                ");
	fputs("calls           ", out);
	status_put_switch(out, dm, "enabled");
	fputs(dm->draining ? ", draining\nmessaging       " :
			     "\nmessaging       ", out);
	status_put_switch(out, dm, "messaging");
	fputs("\nmedia           ", out);
	status_put_media(out, dm);
	fprintf(out, "\nlive calls      %u\n"
		"since the start %llu attempts, %llu answered\n"
		"notices waiting %zu\n"
		"database        %s\n",
		dm->live, (unsigned long long)dm->count.calls,
		(unsigned long long)dm->count.answered,
		outbox_count(dm->outbox),
		dm->degraded ? "DOES NOT TAKE WRITES" : "ok");
}

/* Answers with what was written to `out`, without its last newline. */
static void answer(struct ctl_request *r, FILE *out, char **text, size_t *len,
		   int code, json_t *data)
{
	fclose(out);
	if (*len)
		(*text)[*len - 1] = 0;
	ctl_answer(r, code, data, "%s", *text);
	free(*text);
}

void status_run(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *data;

	(void)argc, (void)argv;
	if (!out) {
		ctl_answer(r, 1, NULL, "out of memory");
		return;
	}
	put_status(out, dm);
	data = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:i,s:I,s:I,s:I,s:I,s:I,"
			 "s:I,s:I}",
			 "domain", dm->conf->domain,
			 "link", status_link_json(dm),
			 "database", status_database_json(dm),
			 "enabled", status_switch_json(dm, "enabled"),
			 "messaging", status_switch_json(dm, "messaging"),
			 "media", status_media_json(dm),
			 "draining", dm->draining,
			 "live_calls", dm->live,
			 "attempts", (json_int_t)dm->count.calls,
			 "answers", (json_int_t)dm->count.answered,
			 "not_answered", (json_int_t)dm->count.refused,
			 "notices_waiting",
			 (json_int_t)outbox_count(dm->outbox),
			 "ignored", (json_int_t)dm->count.ignored,
			 "bad", (json_int_t)dm->count.bad,
			 "cut_short", (json_int_t)dm->count.cut_short);
	answer(r, out, &text, &len, 0, data);
}
