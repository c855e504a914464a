/* poison.h: memory that is kept for later and that nobody may touch until then,
 * as the address sanitizer is to see; without it these do nothing.
 *
 * POISON(at, n) forbids it, UNPOISON(at, n) hands it out.
 */
#ifndef JINGLE_XML_POISON_H
#define JINGLE_XML_POISON_H

#if defined(__has_feature)         /* clang's word for it */
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(at, n) ASAN_POISON_MEMORY_REGION(at, n)
#define UNPOISON(at, n) ASAN_UNPOISON_MEMORY_REGION(at, n)
#else
#define POISON(at, n) ((void)(at), (void)(n))
#define UNPOISON(at, n) ((void)(at), (void)(n))
#endif

#endif
