/* poison.h: memory that is kept for later and that nobody may touch until then,
 * as the address sanitizer is to see; without it these do nothing.
 *
 * POISON(at, n) forbids it, UNPOISON(at, n) hands it out.
 */
#ifndef JINGLE_XML_POISON_H
#define JINGLE_XML_POISON_H

#ifdef __SANITIZE_ADDRESS__         /* gcc's word for it */
#define POISON_IS_SEEN 1
#elif defined(__has_feature)        /* clang's */
#define POISON_IS_SEEN __has_feature(address_sanitizer)
#else
#define POISON_IS_SEEN 0
#endif

#if POISON_IS_SEEN
#include <sanitizer/asan_interface.h>
#define POISON(at, n) ASAN_POISON_MEMORY_REGION(at, n)
#define UNPOISON(at, n) ASAN_UNPOISON_MEMORY_REGION(at, n)
#else
#define POISON(at, n) ((void)(at), (void)(n))
#define UNPOISON(at, n) ((void)(at), (void)(n))
#endif

#endif
