/* ssl_clock.h: libssl's clock, by the one name that it calls: so its timers are
 * ours. To be included once in a program.
 */
#ifndef TESTS_MOCK_SSL_CLOCK_H
#define TESTS_MOCK_SSL_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

#define WALL 1800000000            /* s, when virtual time is 0 */

static int64_t virtual_now;        /* ms */

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	tv->tv_sec = WALL + virtual_now / 1000;
	tv->tv_usec = virtual_now % 1000 * 1000;
	return 0;
}

#endif
