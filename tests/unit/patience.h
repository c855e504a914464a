/* patience.h: how long a test waits for what does not come: never reached when
 * all is well, and the price of a failure. tests/broken/run, where one is
 * awaited, makes it less with TEST_PATIENCE_MS.
 */
#ifndef TESTS_UNIT_PATIENCE_H
#define TESTS_UNIT_PATIENCE_H

#include <stdint.h>
#include <stdlib.h>

static inline int64_t patience_ms(void)
{
	const char *given = getenv("TEST_PATIENCE_MS");

	return given ? atoi(given) : 20000;
}

#endif
