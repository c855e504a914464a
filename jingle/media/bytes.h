/* bytes.h: numbers in network order, for what lies in packets. */
#ifndef JINGLE_MEDIA_BYTES_H
#define JINGLE_MEDIA_BYTES_H

#include <stdint.h>

static inline uint32_t get16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t get32(const unsigned char *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static inline void put16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static inline void put32(unsigned char *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

#endif
