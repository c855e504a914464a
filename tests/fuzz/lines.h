/* lines.h: how the inputs of a target that reads lines are changed: lines, and
 * the elements in them, are left out, said twice, moved, taken from another
 * input, their words exchanged.
 * What libFuzzer changes by itself, bytes anywhere, rarely leaves a line that
 * means anything. Included by the target alone.
 */
#ifndef TESTS_FUZZ_LINES_H
#define TESTS_FUZZ_LINES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* libFuzzer's own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
/* What libFuzzer asks of a target. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size,
				 const uint8_t *other, size_t other_size,
				 uint8_t *out, size_t max, unsigned seed);

#define LINES_PIECE 4096           /* longest that is moved */

/* A part of a text, and where it begins. */
struct lines_part {
	size_t at, len;
};

/* Below n, or 0; the numbers of minstd. */
static size_t lines_pick(unsigned *seed, size_t n)
{
	*seed = (unsigned)((uint64_t)*seed * 48271 % 2147483647);
	return n ? *seed % n : 0;
}

static int lines_in_word(uint8_t c)
{
	return c > ' ' && !strchr("<>'\"=,:/", c);
}

/* The line, with its end, around a byte of the text. */
static struct lines_part lines_line(const uint8_t *data, size_t size,
				    unsigned *seed)
{
	struct lines_part p = { lines_pick(seed, size), 0 };
	size_t end = p.at;

	while (p.at && data[p.at - 1] != '\n')
		p.at--;
	while (end < size && data[end] != '\n')
		end++;
	p.len = end + (end < size) - p.at;
	return p;
}

/* The word at a byte of the text, or the next one; it may be empty. */
static struct lines_part lines_word(const uint8_t *data, size_t size,
				    unsigned *seed)
{
	struct lines_part p = { lines_pick(seed, size), 0 };

	while (p.at < size && !lines_in_word(data[p.at]))
		p.at++;
	while (p.at && p.at < size && lines_in_word(data[p.at - 1]))
		p.at--;
	while (p.at + p.len < size && lines_in_word(data[p.at + p.len]))
		p.len++;
	return p;
}

static int lines_in_tag(const uint8_t *data, size_t size, size_t at)
{
	return at < size && data[at] != '>' && data[at] != '\n';
}

/* The first element of a line behind a byte of the text; empty where none ends.
 * Where it begins and ends is guessed: what is no XML is no matter. */
static struct lines_part lines_element(const uint8_t *data, size_t size,
				       unsigned *seed)
{
	struct lines_part p = { lines_pick(seed, size), 0 };
	size_t at, depth = 0;

	while (p.at < size && (data[p.at] != '<' || p.at + 1 == size ||
			       data[p.at + 1] == '/'))
		p.at++;
	for (at = p.at; at < size && data[at] != '\n'; at++) {
		size_t tag = at;

		if (data[at] != '<')
			continue;
		while (lines_in_tag(data, size, at))
			at++;
		if (at >= size || data[at] == '\n')
			break;
		if (data[tag + 1] == '/')
			depth--;
		else if (data[at - 1] != '/')
			depth++;
		if (!depth) {
			p.len = at + 1 - p.at;
			break;
		}
	}
	return p;
}

/* Where an element is put: in the place of one, before it, or first in it. */
static struct lines_part lines_for_element(const uint8_t *data, size_t size,
					   unsigned *seed)
{
	struct lines_part p = lines_element(data, size, seed);

	switch (lines_pick(seed, 3)) {
	case 0:
		p.len = 0;
		break;
	case 1:
		while (p.len && lines_in_tag(data, size, p.at))
			p.at++;
		p.at += p.len && p.at < size;
		p.len = 0;
		break;
	}
	return p;
}

/* Puts `n` bytes, which stand elsewhere, into the place of a part. The new
 * size; the old one where they do not fit. */
static size_t lines_put(uint8_t *data, size_t size, size_t max,
			struct lines_part p, const uint8_t *piece, size_t n)
{
	if (size - p.len + n > max)
		return size;
	memmove(data + p.at + n, data + p.at + p.len, size - p.at - p.len);
	memcpy(data + p.at, piece, n);
	return size - p.len + n;
}

static size_t lines_cut(uint8_t *data, size_t size, struct lines_part p)
{
	memmove(data + p.at, data + p.at + p.len, size - p.at - p.len);
	return size - p.len;
}

/* Where a line begins. */
static size_t lines_start(const uint8_t *data, size_t size, unsigned *seed)
{
	return lines_pick(seed, 8) ? lines_line(data, size, seed).at : size;
}

/* A line once more, or, where it is moved, elsewhere. */
static size_t lines_copy(uint8_t *data, size_t size, size_t max, int moved,
			 unsigned *seed)
{
	struct lines_part from = lines_line(data, size, seed), to = { 0, 0 };
	uint8_t piece[LINES_PIECE];

	if (from.len > sizeof(piece))
		return size;
	memcpy(piece, data + from.at, from.len);
	if (moved)
		size = lines_cut(data, size, from);
	to.at = lines_start(data, size, seed);
	return lines_put(data, size, max, to, piece, from.len);
}

/* An element once more, or instead of another one. */
static size_t lines_copy_element(uint8_t *data, size_t size, size_t max,
				 unsigned *seed)
{
	struct lines_part from = lines_element(data, size, seed);
	struct lines_part to = lines_for_element(data, size, seed);
	uint8_t piece[LINES_PIECE];

	if (from.len > sizeof(piece))
		return size;
	memcpy(piece, data + from.at, from.len);
	return lines_put(data, size, max, to, piece, from.len);
}

/* A word of this text instead of another, or, where that stays, after it. */
static size_t lines_exchange(uint8_t *data, size_t size, size_t max, int stays,
			     unsigned *seed)
{
	struct lines_part from = lines_word(data, size, seed);
	struct lines_part to = lines_word(data, size, seed);
	uint8_t piece[LINES_PIECE];

	if (from.len + 1 > sizeof(piece))
		return size;
	if (stays) {
		to.at += to.len;
		to.len = 0;
		piece[0] = ' ';
	}
	memcpy(piece + stays, data + from.at, from.len);
	return lines_put(data, size, max, to, piece,
			 from.len + (size_t)stays);
}

/* libFuzzer's changes, within one line. */
static size_t lines_bytes(uint8_t *data, size_t size, size_t max,
			  unsigned *seed)
{
	struct lines_part p = lines_line(data, size, seed);
	uint8_t piece[LINES_PIECE];
	size_t n;

	if (!p.len || p.len > sizeof(piece) / 2)
		return LLVMFuzzerMutate(data, size, max);
	p.len -= data[p.at + p.len - 1] == '\n';
	memcpy(piece, data + p.at, p.len);
	n = LLVMFuzzerMutate(piece, p.len, sizeof(piece));
	return lines_put(data, size, max, p, piece, n);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	size_t times;

	seed = seed % 2147483646 + 1;
	if (!size || !lines_pick(&seed, 4))
		return LLVMFuzzerMutate(data, size, max);
	for (times = lines_pick(&seed, 3) + 1; times && size; times--)
		switch (lines_pick(&seed, 9)) {
		case 0:
			size = lines_bytes(data, size, max, &seed);
			break;
		case 1:
			size = lines_cut(data, size,
					 lines_line(data, size, &seed));
			break;
		case 2:
			size = lines_cut(data, size,
					 lines_word(data, size, &seed));
			break;
		case 3:
		case 4:
			size = lines_copy(data, size, max,
					  (int)lines_pick(&seed, 2), &seed);
			break;
		case 5:
			size = lines_cut(data, size,
					 lines_element(data, size, &seed));
			break;
		case 6:
			size = lines_copy_element(data, size, max, &seed);
			break;
		default:
			size = lines_exchange(data, size, max,
					      !lines_pick(&seed, 4), &seed);
			break;
		}
	return size ? size : LLVMFuzzerMutate(data, size, max);
}

/* The one, and in or instead of some of its lines some of the other's, or an
 * element of the other's. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size,
				 const uint8_t *other, size_t other_size,
				 uint8_t *out, size_t max, unsigned seed)
{
	struct lines_part from, to = { 0, 0 };
	size_t size = one_size < max ? one_size : max, n;

	seed = seed % 2147483646 + 1;
	memcpy(out, one, size);
	if (!other_size)
		return size;
	if (lines_pick(&seed, 2)) {
		from = lines_element(other, other_size, &seed);
		to = lines_for_element(out, size, &seed);
		return lines_put(out, size, max, to, other + from.at, from.len);
	}
	from = lines_line(other, other_size, &seed);
	for (n = lines_pick(&seed, 6); n; n--) {
		const uint8_t *at = other + from.at + from.len, *end;
		size_t left = other_size - from.at - from.len;

		if (!left)
			break;
		end = memchr(at, '\n', left);
		from.len += end ? (size_t)(end + 1 - at) : left;
	}
	if (lines_pick(&seed, 2))
		to = lines_line(out, size, &seed);
	else
		to.at = lines_start(out, size, &seed);
	return lines_put(out, size, max, to, other + from.at, from.len);
}

#endif
