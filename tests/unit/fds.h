/* fds.h: how many descriptors the test has open: none may be forgotten. */
#ifndef TESTS_UNIT_FDS_H
#define TESTS_UNIT_FDS_H

#include <fcntl.h>

#define FDS_MOST 256

static inline unsigned fds_open(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < FDS_MOST; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
