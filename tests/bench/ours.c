/* ours.c: privatecall-media as a process of media.c (see ours.h). */
#include "tests/bench/ours.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/bench/where.h"

#define AT_ONCE 8                  /* calls that connect at the same time */
#define PATIENCE_NS 60000000000    /* never reached when all is well */
#define TYPE_IN(kind) (96u + (kind))       /* payload types, as sent */
#define TYPE_OUT(kind) (104u + (kind))     /* and as the other knows them */

static void call_id(unsigned call, char id[WIRE_CALL_SIZE])
{
	snprintf(id, WIRE_CALL_SIZE, "00000000-0000-4000-8000-%012u", call);
}

static void put(struct ours *o, const struct wire_msg *m)
{
	size_t len = wire_size(m->kind);

	if (send(o->control, m, len, MSG_NOSIGNAL) != (ssize_t)len)
		peers_die("the server takes no message");
}

static void begin(struct wire_msg *m, enum wire_kind kind, unsigned call,
		  unsigned side)
{
	char id[WIRE_CALL_SIZE];

	call_id(call, id);
	wire_begin(m, kind, id);
	m->side = (uint8_t)side;
}

/* --- the process ------------------------------------------------------ */

static void run(const struct ours *o, unsigned drain, bool merge)
{
	const char *build = getenv("top_builddir");
	char program[512], calls[16], us[16];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(program, sizeof(program), "%s/privatecall-media",
		 build ? build : "build");
	snprintf(calls, sizeof(calls), "%u", o->peers->n / 2);
	snprintf(us, sizeof(us), "%u", drain);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 1);
	dup2(null, 2);
	execl(program, program, "--address", bench_ip, "--port", "0",
	      "--socket", o->socket, "--max-calls", calls,
	      "--drain", us, merge ? (char *)NULL : "--no-merge",
	      (char *)NULL);
	_exit(127);
}

static bool try_connect(struct ours *o)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", o->socket);
	o->control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(o->control, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	close(o->control);
	return false;
}

/* --- what it says ------------------------------------------------------- */

static void tell_of(struct ours *o, unsigned call, unsigned side)
{
	const struct peer *p = &o->peers->list[2 * call + side];
	struct wire_msg m;

	begin(&m, WIRE_REMOTE, call, side);
	strcpy(m.remote.ufrag, p->agent.current.ufrag);
	strcpy(m.remote.pwd, p->agent.current.pwd);
	put(o, &m);
	begin(&m, WIRE_CANDIDATE, call, side);
	m.candidate.addr = p->addr;
	m.candidate.component = 1;
	m.candidate.priority = ice_priority(ICE_HOST, 0);
	put(o, &m);
	begin(&m, WIRE_END, call, side);
	put(o, &m);
}

static struct wire_fingerprint fingerprint(const struct peers *ps)
{
	struct wire_fingerprint f = { .hash = "sha-256" };

	f.len = (uint32_t)dtls_identity_fingerprint(ps->id, f.hash, f.value);
	return f;
}

/* Mode `room`: with other payload types for the other side, so that packets
 * are rewritten. */
static void tell_security(struct ours *o, unsigned call, unsigned side)
{
	struct rewrite_type *t;
	struct wire_msg m;
	unsigned kind, i;

	begin(&m, WIRE_SECURITY, call, side);
	m.security.fingerprint = fingerprint(o->peers);
	m.security.active = 1;
	put(o, &m);
	begin(&m, WIRE_MAP, call, side);
	for (i = 0; i < RTP_PACKET_TYPES; i++)
		m.map.type[i].apt = REWRITE_NO_APT;
	for (kind = 0; kind < PEER_KINDS; kind++) {
		t = &m.map.type[TYPE_IN(kind)];
		t->clock = kind == PEER_AUDIO ? 48000 : 90000;
		t->out = TYPE_OUT(kind);
		t->media = kind == PEER_AUDIO ? REWRITE_AUDIO : REWRITE_VIDEO;
	}
	put(o, &m);
}

static void on_ready(struct ours *o, const struct wire_msg *m)
{
	unsigned call = (unsigned)strtoul(m->call + 24, NULL, 10), side;
	const struct ice_offer *offer = &o->welcome.offer[0];
	struct wire_fingerprint f = o->mode == WIRE_ROOM ?
				    m->ready.fingerprint :
				    fingerprint(o->peers);

	for (side = 0; side < WIRE_SIDES; side++) {
		struct peer *p = &o->peers->list[2 * call + side];

		/* In mode `room` it begins, in `blind` the caller. */
		peer_dtls(o->peers, p, o->mode == WIRE_BLIND && !side,
			  f.hash, f.value, f.len);
		tell_of(o, call, side);
		if (o->mode == WIRE_ROOM)
			tell_security(o, call, side);
		peer_remote(p, m->ready.side[side].ufrag,
			    m->ready.side[side].pwd, &offer->addr,
			    offer->priority);
	}
}

static void on_closed(struct ours *o, const struct wire_closed *c)
{
	unsigned i;

	o->closed++;
	for (i = 0; i < WIRE_SIDES; i++) {
		o->sum.side[i].in_packets += c->side[i].in_packets;
		o->sum.side[i].out_packets += c->side[i].out_packets;
	}
	for (i = 0; i < WIRE_DROPS; i++)
		o->sum.dropped[i] += c->dropped[i];
}

static void on_message(struct ours *o, const struct wire_msg *m)
{
	switch (m->kind) {
	case WIRE_WELCOME:
		o->welcome = m->welcome;
		o->welcomes++;
		break;
	case WIRE_READY:
		on_ready(o, m);
		break;
	case WIRE_STEP:
		o->steps[m->said.step]++;
		break;
	case WIRE_CLOSED:
		on_closed(o, &m->closed);
		break;
	default:
		peers_die("an answer that was not expected");
	}
}

static void on_control(void *arg)
{
	struct ours *o = arg;
	unsigned char bytes[sizeof(struct wire_msg) + 1];
	struct wire_msg m;
	const char *why;
	ssize_t len;

	while ((len = recv(o->control, bytes, sizeof(bytes),
			   MSG_DONTWAIT)) > 0) {
		if (wire_read(bytes, (size_t)len, true, &m, &why))
			peers_die(why);
		on_message(o, &m);
	}
	if (len == 0)
		peers_die("the server has gone");
}

/* --- steps ------------------------------------------------------------ */

void ours_start(struct ours *o, struct peers *ps, enum wire_mode mode,
		unsigned drain, bool merge)
{
	int64_t until = peers_now() + PATIENCE_NS;
	struct wire_msg m;
	unsigned kind;

	memset(o, 0, sizeof(*o));
	o->peers = ps;
	o->mode = mode;
	strcpy(o->dir, "/tmp/bench_media.XXXXXX");
	if (!mkdtemp(o->dir))
		peers_die("no folder");
	snprintf(o->socket, sizeof(o->socket), "%s/sock", o->dir);
	o->pid = fork();
	if (o->pid == 0)
		run(o, drain, merge);
	while (o->pid < 0 || !try_connect(o))
		if (waitpid(o->pid, NULL, WNOHANG) || peers_now() > until)
			peers_die("privatecall-media does not start");
	for (kind = 0; kind < PEER_KINDS; kind++) {
		ps->flow[kind].type = TYPE_IN(kind);
		ps->flow[kind].seen = mode == WIRE_ROOM ? TYPE_OUT(kind) :
							  TYPE_IN(kind);
	}
	peers_watch(ps, o->control, on_control, o);
	wire_begin(&m, WIRE_HELLO, NULL);
	put(o, &m);
	while (!o->welcomes)
		peers_turn(ps);
}

static void open_next(struct ours *o)
{
	struct wire_msg m;
	unsigned side;

	for (side = 0; side < WIRE_SIDES; side++)
		peer_ice(&o->peers->list[2 * o->opened + side],
			 side == WIRE_CALLER);
	begin(&m, WIRE_OPEN, o->opened++, 0);
	m.open.mode = o->mode;
	put(o, &m);
}

void ours_connect(struct ours *o)
{
	int64_t until = peers_now() + PATIENCE_NS;
	unsigned i;

	while (o->connected < o->peers->n / 2) {
		if (peers_now() > until)
			peers_die("a call does not connect");
		if (o->opened < o->peers->n / 2 &&
		    o->opened < o->connected + AT_ONCE) {
			open_next(o);
			continue;
		}
		peers_turn(o->peers);
		for (i = o->connected; i < o->opened &&
		     peer_ready(&o->peers->list[2 * i]) &&
		     peer_ready(&o->peers->list[2 * i + 1]); i++)
			o->connected++;
	}
	while (o->mode == WIRE_ROOM && o->steps[WIRE_SECURE] < o->peers->n) {
		if (peers_now() > until)
			peers_die("a call is not secure");
		peers_turn(o->peers);
	}
}

void ours_hang_up(struct ours *o)
{
	int64_t until = peers_now() + PATIENCE_NS;
	struct wire_msg m;
	unsigned i;

	for (i = 0; i < o->opened; i++) {
		begin(&m, WIRE_CLOSE, i, 0);
		put(o, &m);
		while (o->closed <= i) {
			if (peers_now() > until)
				peers_die("a call does not end");
			peers_turn(o->peers);
		}
	}
}

void ours_stop(struct ours *o)
{
	int status;

	if (!o->closed)
		ours_hang_up(o);
	kill(o->pid, SIGTERM);
	if (waitpid(o->pid, &status, 0) != o->pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		peers_die("privatecall-media did not end well");
	close(o->control);
	unlink(o->socket);
	rmdir(o->dir);
}
