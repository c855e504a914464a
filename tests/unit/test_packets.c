/* test_packets.c: every rule by which mode `room` rewrites RTP and RTCP, packet
 * by packet: the lines of tests/golden/packets/NAME.packets that begin with
 * "< " are what the line with "> " before them brings about. Two sides, a and
 * b; what comes from one goes to the other, or is dropped.
 *
 *	> type a 96 100 video 90000 [rtx 95]   a's payload type 96 is 100 of b;
 *	                                       RTX of a's 95
 *	> ext a 3 5 [transport-cc]             a's header extension 3 is 5 of b
 *	> tell a 11112222 video [rtx]          b was told of this SSRC of a
 *	> switch a                             a has a new session
 *	> [+MS] a HEX                          after MS, a sends a packet
 *	> picture a                            a is asked for its pictures
 *	< b HEX                                b gets a packet
 *	< counted WHY                          of what was dropped or blanked
 *
 * GOLDEN_UPDATE=1 writes what happens into the traces; read the difference
 * before you keep it. ONLY=NAME plays one.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "jingle/media/rewrite.h"
#include "tests/unit/stun_test.h"

#define CNAME "abcdefghijklmnop"   /* 6162 6364 ... */
#define START 1000

struct play {
	struct rewrite side[2];    /* of what a sends, of what b sends */
	struct rewrite_map map[2];
	uint64_t counted[2][REWRITE_COUNTS];
	int64_t now;
	FILE *out;
};

static void play_init(struct play *p, FILE *out)
{
	memset(p, 0, sizeof(*p));
	rewrite_init(&p->side[0], CNAME);
	rewrite_init(&p->side[1], CNAME);
	p->now = START;
	p->out = out;
}

static void write_counts(struct play *p)
{
	enum rewrite_count n;
	int i;

	for (i = 0; i < 2; i++)
		for (n = 0; n < REWRITE_COUNTS; n++)
			while (p->counted[i][n] < p->side[i].count[n]) {
				fprintf(p->out, "< counted %s\n",
					rewrite_count_name(n));
				p->counted[i][n]++;
			}
}

static void write_packet(struct play *p, int to, const unsigned char *bytes,
			 size_t len)
{
	size_t i;

	if (len)
		fprintf(p->out, "< %c", 'a' + to);
	for (i = 0; i < len; i++)
		fprintf(p->out, "%s%02x", i % 4 ? "" : " ", bytes[i]);
	if (len)
		fputc('\n', p->out);
}

/* In memory of exactly its size, for a sanitizer; RTCP with more behind it, as
 * in the media process. */
static void packet(struct play *p, int from, const char *hex)
{
	struct packet in = packet_hex(hex);
	bool rtcp = rtp_packet_is_rtcp(in.bytes, in.len), passes;
	size_t size = in.len + (rtcp ? REWRITE_RTCP_MORE : 0);
	unsigned char *bytes = malloc(size ? size : 1);

	assert_non_null(bytes);
	memcpy(bytes, in.bytes, in.len);
	if (rtcp) {
		write_packet(p, !from, bytes, rewrite_rtcp(&p->side[from],
			     &p->side[!from], p->now, bytes, in.len, size));
	} else {
		passes = rewrite_rtp(&p->side[from], p->now, bytes, in.len);
		write_packet(p, !from, bytes, passes ? in.len : 0);
	}
	free(bytes);
	packet_free(&in);
}

static void picture(struct play *p, int of)
{
	unsigned char bytes[REWRITE_PLI_MAX];

	write_packet(p, of, bytes,
		     rewrite_pli(&p->side[of], &p->side[!of], bytes));
}

/* His stream goes on; he himself knows of no stream. */
static void another(struct play *p, int who)
{
	p->map[who].tolds = 0;
	rewrite_switch(&p->side[who]);
	rewrite_init(&p->side[!who], CNAME);
	rewrite_set_map(&p->side[!who], &p->map[!who]);
	memset(p->counted[!who], 0, sizeof(p->counted[0]));
}

static void number(struct play *p, int who, char **word, unsigned n)
{
	struct rewrite_type *t = &p->map[who].type[atoi(word[2]) & 127];
	struct rewrite_told *told;
	const char *why;

	if (strcmp(word[0], "type") == 0) {
		t->out = (uint8_t)atoi(word[3]);
		t->media = strcmp(word[4], "video") == 0;
		t->clock = (uint32_t)atoi(word[5]);
		t->apt = n > 7 ? (uint8_t)atoi(word[7]) : REWRITE_NO_APT;
	} else if (strcmp(word[0], "tell") == 0) {
		told = &p->map[who].told[p->map[who].tolds++ & 15];
		told->ssrc = (uint32_t)strtoul(word[2], NULL, 16);
		told->media = strcmp(word[3], "video") == 0;
		told->rtx = n > 4;
	} else {
		p->map[who].ext[atoi(word[2]) & 255] = (uint8_t)atoi(word[3]);
		if (n > 4)
			p->map[who].transport_cc = (uint8_t)atoi(word[2]);
	}
	if (rewrite_map_check(&p->map[who], &why))
		fail_msg("%s %s: %s", word[0], word[2], why);
	rewrite_set_map(&p->side[who], &p->map[who]);
}

static bool is_side(const char *word)
{
	return (*word == 'a' || *word == 'b') && !word[1];
}

static bool line(struct play *p, char *text)
{
	char *word[10], *at = text, *hex;
	unsigned n = 0;

	while (*at == ' ')
		at++;
	if (*at == '+')
		p->now += strtol(at + 1, &at, 10);
	while (*at == ' ')
		at++;
	hex = *at ? at + 1 : at;
	if ((*at == 'a' || *at == 'b') && (*hex == ' ' || !*hex)) {
		packet(p, *at == 'b', hex);
		return true;
	}
	while (n < 10 && (word[n] = strsep(&at, " ")))
		n += *word[n] != 0;
	if (n < 2 || !is_side(word[1]))
		return false;
	if (strcmp(word[0], "switch") == 0)
		another(p, *word[1] == 'b');
	else if (strcmp(word[0], "picture") == 0)
		picture(p, *word[1] == 'b');
	else if (n > 5 && strcmp(word[0], "type") == 0)
		number(p, *word[1] == 'b', word, n);
	else if (n > 3 && (strcmp(word[0], "ext") == 0 ||
			   strcmp(word[0], "tell") == 0))
		number(p, *word[1] == 'b', word, n);
	else
		return false;
	return true;
}

/* --- files ------------------------------------------------------------ */

static char *read_file(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");

	if (f && getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

static char *replay(const char *text, const char *path)
{
	char *copy = strdup(text), *at = copy, *l, *result = NULL;
	size_t len;
	struct play p;

	play_init(&p, open_memstream(&result, &len));
	while ((l = strsep(&at, "\n"))) {
		if (l[0] == '<' || (!at && !*l))
			continue;
		fprintf(p.out, "%s\n", l);
		if (l[0] != '>')
			continue;
		if (!line(&p, l + 1))
			fail_msg("%s: cannot read: %s", path, l);
		write_counts(&p);
		rewrite_check(&p.side[0]);
		rewrite_check(&p.side[1]);
	}
	fclose(p.out);
	free(copy);
	return result;
}

static void show_difference(const char *path, const char *was, const char *is)
{
	const char *start = is;
	unsigned n = 1;

	while (*was && *was == *is) {
		if (*was++ == '\n') {
			n++;
			start = is + 1;
		}
		is++;
	}
	was -= is - start;
	print_message("%s:%u: expected: %.*s\n", path, n,
		      (int)strcspn(was, "\n"), was);
	print_message("%s:%u: happened: %.*s\n", path, n,
		      (int)strcspn(start, "\n"), start);
}

static void plays(void **state)
{
	const char *path = *state;
	char *was = read_file(path), *is;
	FILE *f;

	assert_non_null(was);
	is = replay(was, path);
	if (strcmp(was, is) != 0 && getenv("GOLDEN_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(is, f);
		fclose(f);
	} else if (strcmp(was, is) != 0) {
		show_difference(path, was, is);
		fail_msg("%s differs", path);
	}
	free(was);
	free(is);
}

static int is_trace(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && strcmp(dot, ".packets") == 0;
}

int main(void)
{
	const char *src = getenv("top_srcdir"), *only = getenv("ONLY");
	struct CMUnitTest tests[100] = { { .name = NULL } };
	static char path[100][700];
	struct dirent **list;
	char folder[400];
	int n, i, rc;
	size_t used = 0;

	snprintf(folder, sizeof(folder), "%s/tests/golden/packets",
		 src ? src : ".");
	n = scandir(folder, &list, is_trace, alphasort);
	if (n <= 0 || n > 100) {
		print_error("no traces in %s\n", folder);
		return 1;
	}
	for (i = 0; i < n; i++) {
		if (only && !strstr(list[i]->d_name, only))
			continue;
		snprintf(path[used], sizeof(path[used]), "%s/%s", folder,
			 list[i]->d_name);
		tests[used].name = list[i]->d_name;
		tests[used].test_func = plays;
		tests[used].initial_state = path[used];
		used++;
	}
	rc = _cmocka_run_group_tests("packets", tests, used, NULL, NULL);
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return rc;
}
