/* presence.c: what a presence stanza says of its sender (RFC 6121, 4.7). */
#include "jingle/stanza/presence.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/delay.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"

#define PRIORITY_MIN (-128)
#define PRIORITY_MAX 127
#define WORD_MAX 16                /* bytes of a show or priority */

static const char *const show_names[] = {
	[PRESENCE_ONLINE] = "online",
	[PRESENCE_AWAY] = "away",
	[PRESENCE_CHAT] = "chat",
	[PRESENCE_DND] = "dnd",
	[PRESENCE_XA] = "xa",
};

const char *presence_show_name(enum presence_show show)
{
	return show_names[show];
}

/* Text of a child without the white space around it; "" when it is not there
 * or longer than any word we know. 0 or ENOMEM. */
static int read_word(struct arena *a, const struct xml_elem *presence,
		     const char *name, char out[WORD_MAX])
{
	const struct xml_elem *e = xml_child(presence, NS_COMPONENT, name);
	const char *s;
	size_t len;

	out[0] = '\0';
	if (!e)
		return 0;
	s = xml_text(a, e);
	if (!s)
		return ENOMEM;
	s += strspn(s, " \t\r\n");
	len = strcspn(s, " \t\r\n");
	if (len >= WORD_MAX || !text_blank(s + len))
		return 0;
	memcpy(out, s, len);
	out[len] = '\0';
	return 0;
}

static enum presence_show find_show(const char *word)
{
	for (int i = PRESENCE_AWAY; i <= PRESENCE_XA; i++)
		if (!strcmp(word, show_names[i]))
			return (enum presence_show)i;
	return PRESENCE_ONLINE;
}

static int find_priority(const char *word)
{
	int32_t n = 0;

	if (text_integer(word, INT32_MIN, INT32_MAX, &n))
		return 0;
	if (n < PRIORITY_MIN)
		return PRIORITY_MIN;
	return n > PRIORITY_MAX ? PRIORITY_MAX : (int)n;
}

int presence_read(struct arena *a, const struct xml_elem *presence,
		  struct presence_info *p_r)
{
	const struct xml_elem *idle = xml_child(presence, NS_IDLE, "idle");
	char show[WORD_MAX], priority[WORD_MAX];

	memset(p_r, 0, sizeof(*p_r));
	if (read_word(a, presence, "show", show) ||
	    read_word(a, presence, "priority", priority))
		return ENOMEM;
	p_r->show = find_show(show);
	p_r->priority = find_priority(priority);
	p_r->idle = !delay_parse(xml_get(idle, "since"), &p_r->idle_since);
	p_r->has_caps = !caps_read(presence, &p_r->caps);
	p_r->delayed = xml_child(presence, NS_DELAY, "delay") != NULL;
	return 0;
}
