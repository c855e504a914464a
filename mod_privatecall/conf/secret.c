/* secret.c: the component's secret: files that hold it, and its end. */
#include "mod_privatecall/conf/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int __attribute__((format(printf, 2, 3)))
fault(char **why_r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(why_r, fmt, ap) < 0)
		*why_r = NULL;
	va_end(ap);
	return *why_r ? EBADMSG : ENOMEM;
}

static int check_mode(mode_t mode, const char *path, char **why_r)
{
	if (!(mode & (S_IROTH | S_IWOTH)))
		return 0;
	return fault(why_r, "expected that others cannot read or write the "
		     "secret in %s: chmod o= %s", path, path);
}

int conf_secret_mode(const char *path, char **why_r)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return fault(why_r, "expected a readable file: %s: %s", path,
			     strerror(errno));
	return check_mode(st.st_mode, path, why_r);
}

void conf_secret_wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static int read_line(int fd, const char *path, char **secret_r, char **why_r)
{
	char buf[CONF_SECRET_MAX + 2];
	size_t len = 0;
	ssize_t n;
	int err = 0;

	do {
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len < sizeof(buf) - 1) || (n < 0 && errno == EINTR));
	if (n < 0)
		err = fault(why_r, "expected a readable file: %s: %s", path,
			    strerror(errno));
	buf[len] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	len = strlen(buf);
	if (!err && (len == 0 || len > CONF_SECRET_MAX))
		err = fault(why_r, "expected the secret in the first line of "
			    "%s, which is %s", path, len ? "too long" :
			    "empty");
	if (!err) {
		*secret_r = strdup(buf);
		err = *secret_r ? 0 : ENOMEM;
	}
	explicit_bzero(buf, sizeof(buf));
	return err;
}

int conf_secret_read(const char *path, char **secret_r, char **why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err = fault(why_r, "expected a readable file: %s: %s", path,
			    strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = check_mode(st.st_mode, path, why_r);
	if (!err)
		err = read_line(fd, path, secret_r, why_r);
	close(fd);
	return err;
}
