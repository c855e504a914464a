/* text.c: the text of a configuration file and the places of its tokens. It
 * reads as libconfuse's lexer does, so that a message can name the column.
 */
#include "mod_privatecall/conf/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct conf_text *t)
{
	size_t cap = CONF_FILE_MAX + 1;
	char *bytes = malloc(cap + 1);
	ssize_t n = 1;

	if (!bytes)
		return ENOMEM;
	t->bytes = bytes;
	while (t->len < cap && n > 0) {
		n = read(fd, bytes + t->len, cap - t->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return errno;
		else
			t->len += (size_t)n;
	}
	if (t->len > CONF_FILE_MAX)
		return EFBIG;
	bytes[t->len] = '\0';
	return 0;
}

int conf_text_read(const char *path, struct conf_text *t_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	*t_r = (struct conf_text) { .line = 1 };
	if (fd < 0)
		return errno;
	t_r->name = strdup(path);
	err = t_r->name ? read_all(fd, t_r) : ENOMEM;
	close(fd);
	if (err)
		conf_text_free(t_r);
	return err;
}

void conf_text_free(struct conf_text *t)
{
	if (t->bytes)
		explicit_bzero(t->bytes, t->len);
	free(t->bytes);
	free(t->name);
	*t = (struct conf_text) { .line = 1 };
}

static void skip_to(struct conf_text *t, size_t at)
{
	for (; t->cursor < at; t->cursor++)
		if (t->bytes[t->cursor] == '\n') {
			t->line++;
			t->line_at = t->cursor + 1;
		}
}

static struct conf_place place_at(const struct conf_text *t, size_t at)
{
	struct conf_place p = { .line = t->line, .column = 1 };

	for (size_t i = t->line_at; i < at; i++)
		if (((unsigned char)t->bytes[i] & 0xc0) != 0x80)
			p.column++;
	return p;
}

/* The length of the quoted string that begins at `s`, its quotes included;
 * 0: it has no end. */
static size_t string_length(const char *s)
{
	size_t i = 1;

	while (s[i] && s[i] != s[0])
		i += s[i] == '\\' && s[i + 1] ? 2 : 1;
	return s[i] ? i + 1 : 0;
}

struct conf_token conf_text_next(struct conf_text *t)
{
	struct conf_token k = { .before = t->before, .in_list = t->in_list };
	const char *s;

	skip_to(t, t->cursor + strspn(t->bytes + t->cursor, " \t\r\n"));
	s = t->bytes + t->cursor;
	k.place = place_at(t, t->cursor);
	k.at = t->cursor;
	if (!*s)
		return k;
	if (*s == '"' || *s == '\'') {
		size_t n = string_length(s);

		k.kind = 's';
		k.at++;
		k.len = n ? n - 2 : strlen(s + 1);
		skip_to(t, n ? t->cursor + n : t->len);
	} else if (strchr("={}(),+*#", *s)) {
		k.kind = *s;
		k.len = *s == '+' && s[1] == '=' ? 2 : 1;
		t->in_list = *s == '{' || (t->in_list && *s != '}');
		skip_to(t, t->cursor + k.len);
	} else {
		k.kind = 'w';
		k.len = strcspn(s, " \t\r\n\"'={}(),+*#");
		skip_to(t, t->cursor + k.len);
	}
	t->before = k.kind == 's' ? 'w' : k.kind;
	return k;
}

/* The length of the comment at `s`; 0: none, SIZE_MAX: it has no end. */
static size_t comment_length(const char *s)
{
	const char *end;

	if (*s == '#' || (s[0] == '/' && s[1] == '/'))
		return strcspn(s, "\n");
	if (s[0] != '/' || s[1] != '*')
		return 0;
	end = strstr(s + 2, "*/");
	return end ? (size_t)(end - s) + 2 : SIZE_MAX;
}

static const char *check_token(const struct conf_text *t,
			       const struct conf_token *k)
{
	if (k->kind == 's' && t->bytes[k->at + k->len] == '\0')
		return "the closing quote of this string";
	if (k->kind == '*' || (k->kind == '+' && k->len == 1))
		return "quotes around a value with `*' or `+'";
	if (k->kind == '}' && k->before == '{')
		return "at least one value in the list";
	return NULL;
}

static void rewind_text(struct conf_text *t)
{
	t->cursor = 0;
	t->line = 1;
	t->line_at = 0;
	t->before = 0;
	t->in_list = false;
}

static const char *blank_comments(struct conf_text *t)
{
	size_t n;

	for (;;) {
		skip_to(t, t->cursor +
			strspn(t->bytes + t->cursor, " \t\r\n"));
		n = comment_length(t->bytes + t->cursor);
		if (n == 0)
			return NULL;
		if (n == SIZE_MAX)
			return "`*/' at the end of this comment";
		for (size_t i = 0; i < n; i++)
			if (t->bytes[t->cursor + i] != '\n')
				t->bytes[t->cursor + i] = ' ';
	}
}

int conf_text_prepare(struct conf_text *t, struct conf_place *place_r,
		      const char **expected_r)
{
	struct conf_token k = { .kind = 'w' };
	size_t zero = strlen(t->bytes);

	if (strncmp(t->bytes, "\xef\xbb\xbf", 3) == 0)
		memset(t->bytes, ' ', 3);
	*expected_r = NULL;
	while (k.kind && !*expected_r) {
		*expected_r = blank_comments(t);
		*place_r = place_at(t, t->cursor);
		if (*expected_r)
			break;
		k = conf_text_next(t);
		*expected_r = check_token(t, &k);
	}
	if (!*expected_r && zero < t->len) {
		*place_r = place_at(t, zero);
		*expected_r = "text, not a zero byte";
	}
	rewind_text(t);
	return *expected_r ? EBADMSG : 0;
}
