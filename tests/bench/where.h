/* where.h: where all of the media benchmark is. */
#ifndef TESTS_BENCH_WHERE_H
#define TESTS_BENCH_WHERE_H

extern const char *bench_ip;       /* an address of this host, IPv4 */

#endif
