/* janus.c: Debian's Janus as a process of media.c (see janus.h). */
#include "tests/bench/janus.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/where.h"

#define PATIENCE_NS 60000000000
#define TEXT_MAX 65536
#define TYPE(kind) (96u + (kind))

/* --- the process ------------------------------------------------------ */

static void write_file(const struct janus *j, const char *name,
		       const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", j->dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		peers_die("no configuration for Janus");
}

/* A folder with this one module and no other. */
static void one_module(const struct janus *j, const char *folder,
		       const char *name)
{
	char path[256], from[512];

	snprintf(path, sizeof(path), "%s/%s", j->dir, folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", j->dir, folder, name);
	snprintf(from, sizeof(from), "%s/usr/lib/x86_64-linux-gnu/janus/%s/%s",
		 getenv("JANUS"), folder, name);
	if (symlink(from, path))
		peers_die("no module for Janus");
}

static void configure(const struct janus *j)
{
	char text[1024];

	snprintf(text, sizeof(text), "general: {\n"
		 "configs_folder = \"%s\"\nplugins_folder = \"%s/plugins\"\n"
		 "transports_folder = \"%s/transports\"\n"
		 "events_folder = \"%s\"\nloggers_folder = \"%s\"\n"
		 "session_timeout = 0\ndebug_level = 0\n}\n"
		 "nat: { ice_enforce_list = \"%s\" }\n", j->dir, j->dir,
		 j->dir, j->dir, j->dir, bench_ip);
	write_file(j, "janus.jcfg", text);
	snprintf(text, sizeof(text), "general: {\nenabled = true\n"
		 "json = \"compact\"\npath = \"%s\"\n}\n", j->socket);
	write_file(j, "janus.transport.pfunix.jcfg", text);
	one_module(j, "plugins", "libjanus_videocall.so");
	one_module(j, "transports", "libjanus_pfunix.so");
}

static void run(const struct janus *j)
{
	char program[512], config[160];
	int log;

	snprintf(config, sizeof(config), "%s/janus.jcfg", j->dir);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(program, sizeof(program), "%s/log", j->dir);
	log = open(program, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	dup2(log, 1);
	dup2(log, 2);
	snprintf(program, sizeof(program), "%s/usr/bin/janus",
		 getenv("JANUS"));
	execl(program, program, "-C", config, "-F", j->dir, (char *)NULL);
	_exit(127);
}

static bool try_connect(struct janus *j)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", j->socket);
	j->api = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(j->api, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	close(j->api);
	return false;
}

/* Its session is there; false: it has gone again. */
static bool greet(struct janus *j)
{
	static const char create[] = "{\"janus\":\"create\","
				     "\"transaction\":\"t\"}";
	char text[1024];
	ssize_t n = -1;
	json_t *m;

	if (send(j->api, create, strlen(create), MSG_NOSIGNAL) > 0)
		n = recv(j->api, text, sizeof(text), 0);
	if (n <= 0) {
		close(j->api);
		return false;
	}
	m = json_loadb(text, (size_t)n, 0, NULL);
	j->session = json_integer_value(json_object_get(json_object_get(
		m, "data"), "id"));
	json_decref(m);
	return j->session;
}

/* --- its protocol ------------------------------------------------------- */

static void put(struct janus *j, json_t *m)
{
	char *text;

	json_object_set_new(m, "transaction", json_string("t"));
	if (j->session)
		json_object_set_new(m, "session_id", json_integer(j->session));
	text = json_dumps(m, JSON_COMPACT);
	if (!text || send(j->api, text, strlen(text), MSG_NOSIGNAL) < 0)
		peers_die("Janus takes no message");
	free(text);
	json_decref(m);
}

/* What it says next; peers go on meanwhile. */
static json_t *get(struct janus *j)
{
	static char text[TEXT_MAX];
	int64_t until = peers_now() + PATIENCE_NS;
	ssize_t n;

	while ((n = recv(j->api, text, sizeof(text), MSG_DONTWAIT)) < 0) {
		if (peers_now() > until)
			peers_die("Janus says nothing");
		peers_turn(j->peers);
	}
	if (n == 0)
		peers_die("Janus has gone");
	return json_loadb(text, (size_t)n, 0, NULL);
}

/* The number in its answer to `m`, which makes something. */
static json_int_t make(struct janus *j, json_t *m)
{
	json_int_t id = 0;
	json_t *answer;

	put(j, m);
	while (!id) {
		answer = get(j);
		id = json_integer_value(json_object_get(json_object_get(
			answer, "data"), "id"));
		json_decref(answer);
	}
	return id;
}

static void tell(struct janus *j, unsigned peer, const char *request,
		 unsigned user, const char *type, const char *sdp)
{
	char name[16];
	json_t *m = json_pack("{s:s, s:I, s:{s:s}}", "janus", "message",
			      "handle_id", j->handle[peer], "body", "request",
			      request);

	snprintf(name, sizeof(name), "user%u", user);
	json_object_set_new(json_object_get(m, "body"), "username",
			    json_string(name));
	if (sdp)
		json_object_set_new(m, "jsep", json_pack("{s:s, s:s}", "type",
							 type, "sdp", sdp));
	put(j, m);
}

/* Until that event; its description, if it has one, into `sdp`. */
static void wait_for(struct janus *j, const char *event, char *sdp)
{
	const char *name = "", *text;
	json_t *m, *data;

	while (strcmp(name, event)) {
		m = get(j);
		data = json_object_get(json_object_get(m, "plugindata"),
				       "data");
		text = json_string_value(json_object_get(
			json_object_get(data, "result"), "event"));
		if (json_object_get(data, "error"))
			peers_die("Janus refuses");
		name = text && !strcmp(text, event) ? event : "";
		text = json_string_value(json_object_get(
			json_object_get(m, "jsep"), "sdp"));
		if (*name && sdp && text)
			snprintf(sdp, TEXT_MAX, "%s", text);
		json_decref(m);
	}
}

/* --- descriptions ------------------------------------------------------- */

static size_t describe_kind(const struct janus *j, unsigned peer,
			    enum peer_kind kind, const char *rest, char *out,
			    size_t size)
{
	const struct peer *p = &j->peers->list[peer];

	return (size_t)snprintf(out, size,
		"m=%s 9 UDP/TLS/RTP/SAVPF %u\r\nc=IN IP4 %s\r\n"
		"a=mid:%u\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:%u %s\r\n"
		"a=ssrc:%u cname:peer\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n"
		"a=candidate:1 1 udp %u %s %u typ host\r\n"
		"a=end-of-candidates\r\n%s",
		kind == PEER_AUDIO ? "audio" : "video", TYPE(kind), bench_ip,
		kind, TYPE(kind), kind == PEER_AUDIO ? "opus/48000/2" :
						       "VP8/90000",
		peer * PEER_KINDS + kind + 1, p->agent.current.ufrag,
		p->agent.current.pwd, ice_priority(ICE_HOST, 0), bench_ip,
		p->addr.port, rest);
}

static void describe(const struct janus *j, unsigned peer, const char *setup,
		     char *out, size_t size)
{
	unsigned char value[DTLS_SRTP_HASH_MAX];
	size_t len = dtls_identity_fingerprint(j->peers->id, "sha-256", value);
	char rest[256] = "a=fingerprint:sha-256 ";
	size_t at = strlen(rest), i;

	for (i = 0; i < len; i++)
		at += (size_t)snprintf(rest + at, sizeof(rest) - at, "%s%02X",
				       i ? ":" : "", value[i]);
	snprintf(rest + at, sizeof(rest) - at, "\r\na=setup:%s\r\n", setup);
	at = (size_t)snprintf(out, size, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"
			      "s=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n");
	at += describe_kind(j, peer, PEER_AUDIO, rest, out + at, size - at);
	describe_kind(j, peer, PEER_VIDEO, rest, out + at, size - at);
}

static const char *find(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at)
		peers_die("Janus's description is not as expected");
	return at + strlen(name);
}

/* The peer learns of Janus's end. */
static void read_for(struct janus *j, struct peer *p, const char *sdp)
{
	const char *hex = find(sdp, "a=fingerprint:sha-256 ");
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	char ufrag[64], pwd[128], ip[64];
	unsigned port, i, byte;
	struct addr addr;

	if (sscanf(find(sdp, "a=ice-ufrag:"), "%63s", ufrag) != 1 ||
	    sscanf(find(sdp, "a=ice-pwd:"), "%127s", pwd) != 1 ||
	    sscanf(find(sdp, "a=candidate:"), "%*s %*u %*s %*u %63s %u", ip,
		   &port) != 2 || addr_parse(ip, port, &addr))
		peers_die("Janus's description is not as expected");
	for (i = 0; i < 32; i++) {
		if (sscanf(hex + 3 * i, "%2x", &byte) != 1)
			peers_die("Janus's fingerprint is none");
		hash[i] = (unsigned char)byte;
	}
	peer_dtls(j->peers, p, strncmp(find(sdp, "a=setup:"), "passive",
				       7) == 0, "sha-256", hash, 32);
	peer_remote(p, ufrag, pwd, &addr, ice_priority(ICE_HOST, 0));
}

/* --- steps -------------------------------------------------------------- */

void janus_start(struct janus *j, struct peers *ps)
{
	int64_t until = peers_now() + PATIENCE_NS;
	unsigned kind;

	memset(j, 0, sizeof(*j));
	j->peers = ps;
	strcpy(j->dir, "/tmp/bench_janus.XXXXXX");
	j->handle = calloc(ps->n, sizeof(*j->handle));
	if (!j->handle || !mkdtemp(j->dir))
		peers_die("no folder for Janus");
	snprintf(j->socket, sizeof(j->socket), "%s/api", j->dir);
	configure(j);
	do {
		/* Its thread of this socket may begin before it is marked as
		 * ready, and then it ends: once more. */
		if (!j->pid || waitpid(j->pid, NULL, WNOHANG))
			j->pid = fork();
		if (j->pid == 0)
			run(j);
		if (peers_now() > until)
			peers_die("Janus does not start");
	} while (!try_connect(j) || !greet(j));
	for (kind = 0; kind < PEER_KINDS; kind++)
		ps->flow[kind].type = ps->flow[kind].seen = TYPE(kind);
	ps->other_ssrc = true;
}

static void open_call(struct janus *j, unsigned call)
{
	static char sdp[TEXT_MAX], to_b[TEXT_MAX], to_a[TEXT_MAX];
	struct peer *p = &j->peers->list[2 * call];
	unsigned a = 2 * call, b = a + 1, i;

	for (i = a; i <= b; i++) {
		j->handle[i] = make(j, json_pack("{s:s, s:s}", "janus",
						 "attach", "plugin",
						 "janus.plugin.videocall"));
		tell(j, i, "register", i, NULL, NULL);
		wait_for(j, "registered", NULL);
		peer_ice(&j->peers->list[i], i == a);
	}
	describe(j, a, "actpass", sdp, sizeof(sdp));
	tell(j, a, "call", b, "offer", sdp);
	wait_for(j, "incomingcall", to_b);
	describe(j, b, "passive", sdp, sizeof(sdp));
	tell(j, b, "accept", b, "answer", sdp);
	wait_for(j, "accepted", to_a);
	read_for(j, &p[0], to_a);
	read_for(j, &p[1], to_b);
}

void janus_connect(struct janus *j)
{
	int64_t until = peers_now() + PATIENCE_NS;
	unsigned call;

	for (call = 0; call < j->peers->n / 2; call++) {
		open_call(j, call);
		while (!peer_ready(&j->peers->list[2 * call]) ||
		       !peer_ready(&j->peers->list[2 * call + 1])) {
			if (peers_now() > until)
				peers_die("a call of Janus does not connect");
			peers_turn(j->peers);
		}
	}
}

void janus_stop(struct janus *j)
{
	static const char *const files[] = {
		"log", "janus.jcfg", "janus.transport.pfunix.jcfg", "api",
		"plugins/libjanus_videocall.so", "plugins",
		"transports/libjanus_pfunix.so", "transports", "",
	};
	char path[256];
	unsigned i;

	kill(j->pid, SIGKILL);
	waitpid(j->pid, NULL, 0);
	close(j->api);
	free(j->handle);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", j->dir, files[i]);
		remove(path);
	}
}
