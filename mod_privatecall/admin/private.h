/* private.h: the control socket's file: made, found stale, taken away. */
#ifndef MOD_PRIVATECALL_ADMIN_PRIVATE_H
#define MOD_PRIVATECALL_ADMIN_PRIVATE_H

#include <stdbool.h>
#include <sys/types.h>

/* The file a socket was bound to, so that only that one is removed. */
struct ctl_file {
	char *path;
	dev_t dev;
	ino_t ino;
};

/* Binds a socket to `path`, mode 0600, in a folder that only its owner can
 * write, made with 0700 if absent. A stale socket is replaced. 0, EADDRINUSE
 * when a daemon answers there, or an errno; *why_r gets a line with the remedy
 * (free() it). The caller closes *fd_r and calls ctl_file_remove(). */
int ctl_file_bind(const char *path, int *fd_r, struct ctl_file *f_r,
		  char **why_r);
/* Removes the file if it is still ours, and frees what `f` holds. */
void ctl_file_remove(struct ctl_file *f);

/* May the process at the other end give commands: our uid, or root? */
bool ctl_peer_allowed(int fd);

#endif
