/* trace.c: what was said in a call, for `privatecallctl trace`: a bounded text
 * per call, one line per event and stanza. A stanza is shown by its names and
 * attributes only, down to what fits: no text, and no ICE password.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"

#define TRACE_BYTES 6144           /* per call */
#define TRACE_LINE 240
#define TRACE_DEPTH 3              /* elements within elements */

struct line {
	char text[TRACE_LINE];
	size_t len;
};

/* Control characters, C1 ones too (A39), and quotes never reach a terminal or
 * end a line; a character that does not fit whole is left out. */
static void put(struct line *l, const char *s)
{
	size_t n;

	for (; *s; s += n) {
		unsigned char c = (unsigned char)*s;
		unsigned char c2 = (unsigned char)s[1];

		n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (strnlen(s, n) < n || l->len + n >= sizeof(l->text)) {
			l->len += l->len + 1 < sizeof(l->text) &&
				  strnlen(s, n) == n;
			return;
		}
		if (c < 32 || c == 127 || c == '\'' ||
		    (c == 0xc2 && c2 < 0xa0)) {
			l->text[l->len++] = '?';
			continue;
		}
		memcpy(l->text + l->len, s, n);
		l->len += n;
	}
}
