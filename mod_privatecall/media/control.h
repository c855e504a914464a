/* control.h: media's end of the socket of control (see wire.h): listens, takes
 * connections, reads and writes messages. One of them is in force: that which
 * said HELLO last.
 */
#ifndef MOD_PRIVATECALL_MEDIA_CONTROL_H
#define MOD_PRIVATECALL_MEDIA_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mod_privatecall/media/wire.h"

#define CONTROL_CONNECTIONS 4      /* with those that said nothing yet */
#define CONTROL_QUEUE ((size_t)8 << 20)    /* bytes that wait for a reader */

struct control;

/* Listens at the path, mode 0660: who is of our group may connect. A socket
 * that is left of a dead process is replaced. `epoll`: its descriptors are
 * added there, each with itself as its data. 0, or an errno and the line with
 * the remedy (free() it), NULL: none. */
int control_open(const char *path, int epoll,
		 void (*message_h)(const struct wire_msg *m, void *arg),
		 void *arg, struct control **c_r, char **why_r);
void control_close(struct control *c);     /* and takes the socket away */

/* Something is to do at this descriptor of the epoll. */
void control_ready(struct control *c, int fd);
/* To the connection in force; none: nowhere. */
void control_say(struct control *c, const struct wire_msg *m);

#endif
