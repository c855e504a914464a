/* fuzz_jid.c: any text as an address. A prepared address prepares to itself,
 * and XEP-0106 escaping loses nothing.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/stanza/jid.h"

static void check_prepared(struct arena *a, const char *text)
{
	struct jid j, again;

	if (jid_parse(a, text, &j)) {
		assert(!j.full && !j.bare && !j.domain);
		return;
	}
	assert(strlen(j.full) <= JID_MAX && *j.domain);
	assert(!j.node || *j.node);
	assert(!j.resource || *j.resource);
	assert(jid_parse(a, j.full, &again) == 0);
	assert(jid_equal(&j, &again) && jid_bare_equal(&j, &again));
	assert(!strcmp(j.bare, arena_join(a, j.node ? j.node : "",
					  j.node ? "@" : "", j.domain)));
	assert(!strcmp(j.full, arena_join(a, j.bare, j.resource ? "/" : "",
					  j.resource ? j.resource : "")));
	assert(jid_parse(a, j.bare, &again) == 0);
	assert(!strcmp(again.full, j.bare) && !again.resource);
}

static void check_escape(struct arena *a, const char *text)
{
	const char *node = jid_escape(a, text);

	if (!node) {
		size_t len = strlen(text);

		assert(!len || text[0] == ' ' || text[len - 1] == ' ');
		return;
	}
	assert(!strpbrk(node, " \"&'/:<>@"));
	assert(!strcmp(jid_unescape(a, node), text));
	assert(jid_unescape(a, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	char *text;

	text = arena_strndup(a, (const char *)data, size);
	if (text) {
		check_prepared(a, text);
		check_escape(a, text);
	}
	return 0;
}
