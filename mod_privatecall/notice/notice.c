/* notice.c: the texts of notices (see notice.h). */
#include "mod_privatecall/notice/notice.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "jingle/stanza/jid.h"

static const char *const kinds[] = {
	[NOTICE_MISSED] = "missed", [NOTICE_REFUSED] = "refused",
	[NOTICE_WRITE_BACK] = "write-back", [NOTICE_DETAILS] = "details",
	[NOTICE_FAILED] = "failed", [NOTICE_RETURNED] = "returned",
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *notice_kind_name(enum notice_kind k)
{
	return k < KINDS ? kinds[k] : "?";
}

bool notice_kind_parse(const char *name, enum notice_kind *k_r)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (strcmp(kinds[i], name) == 0) {
			*k_r = (enum notice_kind)i;
			return true;
		}
	return false;
}

/* RFC 5122, 2.2: what may stand in the authority and path as it is. */
static bool uri_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~@!$()*+,:", c));
}

char *notice_uri(struct arena *a, const char *bare, const char *query)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, strlen(bare) * 3 + strlen(query) + 8);
	char *o = out;

	if (!out)
		return NULL;
	memcpy(o, "xmpp:", 5);
	for (o += 5; *bare; bare++) {
		if (uri_plain(*bare)) {
			*o++ = *bare;
			continue;
		}
		*o++ = '%';
		*o++ = hex[(unsigned char)*bare >> 4];
		*o++ = hex[*bare & 15];
	}
	*o++ = '?';
	strcpy(o, query);
	return out;
}

/* "Bob" of bob@example.org, unescaped. */
static char *name_of(struct arena *a, const char *bare)
{
	const char *at = strchr(bare, '@');
	char *node, *name;

	if (!at)
		return arena_strdup(a, bare);
	node = arena_strndup(a, bare, (size_t)(at - bare));
	name = node ? jid_unescape(a, node) : NULL;
	if (name && name[0] >= 'a' && name[0] <= 'z')
		name[0] = (char)(name[0] - 'a' + 'A');
	return name;
}

/* Hour and minute of a wall time. */
static char *clock_text(struct arena *a, int64_t ms, int offset_min)
{
	int64_t minutes = ms / 60000 + offset_min;

	minutes = (minutes % 1440 + 1440) % 1440;
	return arena_printf(a, "%02d:%02d", (int)(minutes / 60),
			    (int)(minutes % 60));
}

static char *duration_text(struct arena *a, int64_t ms)
{
	long long s = ms > 0 ? (long long)ms / 1000 : 0;

	if (s >= 3600)
		return arena_printf(a, "%lld:%02lld:%02lld", s / 3600,
				    s / 60 % 60, s % 60);
	return arena_printf(a, "%lld:%02lld", s / 60, s % 60);
}

/* Adds the call back and the offer; links end their lines. */
static char *add_links(struct arena *a, const struct notice *n, char *text)
{
	if (n->again && text)
		text = arena_printf(a, "%s\nCall again: call this contact, %s",
				    text, notice_uri(a, n->peer_call,
						     "message"));
	if (n->offer && text)
		text = arena_printf(a, "%s\n%s: %s", text,
				    n->outgoing ?
				    "Send a message instead" : "Write",
				    notice_uri(a, n->peer, "message"));
	return text;
}

static char *missed_text(struct arena *a, const struct notice *n, int offset)
{
	const char *name = name_of(a, n->peer);
	const char *what = n->media & 2 ? "video call" : "call";

	if (n->count > 1)
		return arena_printf(a, "%u missed calls from %s (%s), last at "
				    "%s UTC", n->count, name, n->peer,
				    clock_text(a, n->started, offset));
	return arena_printf(a, "Missed %s from %s (%s) at %s UTC", what, name,
			    n->peer, clock_text(a, n->started, offset));
}

static char *add_rejoin(struct arena *a, const struct notice *n,
			const char *text, int offset)
{
	return arena_printf(a, "%s\nYou can rejoin until %s UTC: call this "
			    "contact, %s", text,
			    clock_text(a, n->until, offset),
			    notice_uri(a, n->peer_call, "message"));
}

static char *details_text(struct arena *a, const struct notice *n,
			  int offset)
{
	const char *name = name_of(a, n->peer);
	char *text, *why = NULL;

	if (n->cause != CAUSE_ENDED && n->cause != CAUSE_SWITCHED)
		why = cause_text(a, n->cause, name);
	text = arena_printf(a, "%s%s%s %s %s (%s) from %s to %s UTC, %s%s.",
			    why ? why : "", why ? " " : "",
			    n->media & 2 ? "Video call" : "Call",
			    n->outgoing ? "to" : "from", name, n->peer,
			    clock_text(a, n->started, offset),
			    clock_text(a, n->ended, offset),
			    duration_text(a, n->ended - n->started),
			    !n->encrypted ? "" : n->ends_here ?
			    ", decrypted at your server" :
			    ", encrypted between the two of you");
	if (n->until > n->ended && text)
		text = add_rejoin(a, n, text, offset);
	return text;
}

static char *returned_text(struct arena *a, const struct notice *n,
			   int offset)
{
	char *text = arena_printf(a, "%s (%s) is back in your call since %s "
				  "UTC.", name_of(a, n->peer), n->peer,
				  clock_text(a, n->ended, offset));

	return n->until && text ? add_rejoin(a, n, text, offset) : text;
}

static char *refused_text(struct arena *a, const struct notice *n)
{
	const char *callee = name_of(a, n->peer);
	char *text;

	if (n->cause == CAUSE_FAILED && n->step)
		text = arena_printf(a, "The call could not be connected "
				    "(%s).", n->step);
	else
		text = cause_text(a, n->cause, callee);
	return text ? text : arena_strdup(a, "The call ended.");
}

static const char *subject_of(const struct notice *n)
{
	switch (n->kind) {
	case NOTICE_MISSED:
		return n->count > 1 ? "Missed calls" : "Missed call";
	case NOTICE_DETAILS:
		return "Call ended";
	case NOTICE_WRITE_BACK:
		return "Call declined";
	case NOTICE_RETURNED:
		return "Back in the call";
	default:
		return "Call not connected";
	}
}

int notice_text(struct arena *a, const struct notice *n, int offset_min,
		const char **subject_r, const char **body_r)
{
	char *text;

	switch (n->kind) {
	case NOTICE_MISSED:
		text = missed_text(a, n, offset_min);
		break;
	case NOTICE_DETAILS:
		text = details_text(a, n, offset_min);
		break;
	case NOTICE_WRITE_BACK:
		text = arena_printf(a, "You declined a call from %s (%s).",
				    name_of(a, n->peer), n->peer);
		break;
	case NOTICE_RETURNED:
		text = returned_text(a, n, offset_min);
		break;
	default:
		text = refused_text(a, n);
		break;
	}
	*subject_r = subject_of(n);
	*body_r = add_links(a, n, text);
	return *body_r && !arena_failed(a) ? 0 : ENOMEM;
}
