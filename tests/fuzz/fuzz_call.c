/* fuzz_call.c: lines of the call machine's text form, any, in any order; the
 * invariants hold after each (call_check), nothing leaks, nothing hangs.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"
#include "tests/golden/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *at = text, *line;
	const char *why;
	struct play p;
	unsigned lines = 0;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	play_init(&p, NULL);
	while ((line = strsep(&at, "\n")) && lines++ < 200) {
		if (line[0] == '<')
			continue;
		if (line[0] == '>' && line[1] == ' ')
			line += 2;
		play_line(&p, line, &why);
	}
	play_end(&p);
	free(text);
	return 0;
}
