/* main.c: privatecall-probe: options. It logs in as two test users, or as many
 * pairs as wanted, calls, and says which step did not work and what to mend.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/probe/report.h"

#define EXIT_USAGE 2
#define LOAD_MAX 200               /* libstrophe waits by select() */

static const char usage_text[] =
	"usage: privatecall-probe --user JID --password-file FILE\n"
	"           --peer JID --peer-password-file FILE [OPTION]...\n"
	"       privatecall-probe --accounts FILE [--load N] [OPTION]...\n"
	"       privatecall-probe --help | --version\n";

static const char help_text[] =
	"  --user JID, --password-file FILE\n"
	"  --peer JID, --peer-password-file FILE\n"
	"                    who calls and who is called; the first line of\n"
	"                    each file is the password\n"
	"  --accounts FILE   lines of an address and its password, the caller\n"
	"                    and the called user in turn\n"
	"  --load N          N pairs of them at once, 1\n"
	"  --component NAME  calls contacts of the component (gateway mode);\n"
	"                    else the users' own addresses\n"
	"  --video           with a picture\n"
	"  --seconds N       that media go on, 5\n"
	"  --max-loss PERCENT  of packets that may be lost, 1\n"
	"  --mode MODE       direct, blind or room: fails when it is another\n"
	"  --host HOST, --port PORT\n"
	"                    the server, if not as the address says\n"
	"  --tls yes|any|no  encrypted; by any certificate; not at all\n"
	"  --address IP      of this host, for media\n"
	"  --json            the result as JSON\n"
	"exit: 0 all calls passed, 1 one did not, 2 usage\n";

enum option_key { OPT_USER = 1, OPT_PASSWORD, OPT_PEER, OPT_PEER_PASSWORD,
		  OPT_ACCOUNTS, OPT_LOAD, OPT_COMPONENT, OPT_VIDEO,
		  OPT_SECONDS, OPT_MAX_LOSS, OPT_MODE, OPT_HOST, OPT_PORT,
		  OPT_TLS, OPT_ADDRESS, OPT_JSON, OPT_HELP, OPT_VERSION,
		  OPTIONS };

static const struct option longs[] = {
	{ "user", required_argument, NULL, OPT_USER },
	{ "password-file", required_argument, NULL, OPT_PASSWORD },
	{ "peer", required_argument, NULL, OPT_PEER },
	{ "peer-password-file", required_argument, NULL, OPT_PEER_PASSWORD },
	{ "accounts", required_argument, NULL, OPT_ACCOUNTS },
	{ "load", required_argument, NULL, OPT_LOAD },
	{ "component", required_argument, NULL, OPT_COMPONENT },
	{ "video", no_argument, NULL, OPT_VIDEO },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "max-loss", required_argument, NULL, OPT_MAX_LOSS },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "tls", required_argument, NULL, OPT_TLS },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

/* What was given, as text; NULL: not. */
struct given {
	const char *of[OPTIONS];
};

static int usage(const char *what)
{
	if (what)
		fprintf(stderr, "privatecall-probe: %s\n", what);
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

/* A number up to `most`; `usual` when it is not given. */
static bool number(const char *text, unsigned least, unsigned most,
		   unsigned usual, unsigned *n_r)
{
	unsigned long n;
	char *end;

	*n_r = usual;
	if (!text)
		return true;
	n = strtoul(text, &end, 10);
	*n_r = (unsigned)n;
	return *text >= '0' && *text <= '9' && !*end && n >= least &&
	       n <= most;
}

static bool read_tls(const char *word, enum client_tls *tls_r)
{
	static const char *const words[] = {
		[CLIENT_TLS_SURE] = "yes", [CLIENT_TLS_ANY] = "any",
		[CLIENT_TLS_NONE] = "no",
	};
	unsigned i;

	for (i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i])) {
			*tls_r = i;
			return true;
		}
	return !word;
}

/* NULL: all is well, else what is not. */
static const char *read_options(const struct given *g,
				struct trial_options *o)
{
	unsigned port;
	struct addr a;
	char *end;

	o->component = g->of[OPT_COMPONENT];
	o->address = g->of[OPT_ADDRESS];
	o->video = g->of[OPT_VIDEO] != NULL;
	o->client.host = g->of[OPT_HOST];
	o->max_loss = 1;
	if (!number(g->of[OPT_SECONDS], 1, 86400, 5, &o->seconds))
		return "--seconds: expected a number from 1 to 86400";
	if (!number(g->of[OPT_PORT], 1, 65535, 0, &port))
		return "--port: expected a number from 1 to 65535";
	o->client.port = (unsigned short)port;
	if (!read_tls(g->of[OPT_TLS], &o->client.tls))
		return "--tls: expected yes, any or no";
	if (g->of[OPT_MODE]) {
		o->mode = trial_mode_parse(g->of[OPT_MODE]);
		if (!o->mode)
			return "--mode: expected direct, blind or room";
	}
	if (o->address && addr_parse(o->address, 0, &a))
		return "--address: expected an IP address";
	if (g->of[OPT_MAX_LOSS]) {
		o->max_loss = strtod(g->of[OPT_MAX_LOSS], &end);
		if (*end || !(o->max_loss >= 0 && o->max_loss <= 100))
			return "--max-loss: expected percent, 0 to 100";
	}
	return NULL;
}

/* 0, or the exit status. */
static int read_accounts(const struct given *g, struct accounts *as)
{
	unsigned load;

	if (!number(g->of[OPT_LOAD], 1, LOAD_MAX, 1, &load))
		return usage("--load: expected a number from 1 to 200");
	if (g->of[OPT_ACCOUNTS]) {
		if (!accounts_read(as, g->of[OPT_ACCOUNTS]))
			return EXIT_USAGE;
		if (as->n / 2 < load)
			return usage("--accounts: there are not as many "
				     "pairs");
		while (as->n > 2 * load)
			accounts_drop(as);
		return 0;
	}
	if (load > 1)
		return usage("--load: expected --accounts, too");
	if (!g->of[OPT_USER] || !g->of[OPT_PASSWORD] || !g->of[OPT_PEER] ||
	    !g->of[OPT_PEER_PASSWORD])
		return usage("expected two users with their passwords");
	if (!accounts_add(as, g->of[OPT_USER], g->of[OPT_PASSWORD]) ||
	    !accounts_add(as, g->of[OPT_PEER], g->of[OPT_PEER_PASSWORD]))
		return EXIT_USAGE;
	return 0;
}

/* On the error output, for whoever waits for it. */
static void say_running(unsigned calls)
{
	fprintf(stderr, "privatecall-probe: %u calls run\n", calls);
}

static int run(const struct given *g)
{
	static struct trials ts;
	struct trial_options o = { .running_h = say_running };
	struct accounts as = { 0, NULL };
	const char *what = read_options(g, &o);
	unsigned failed;
	int code = what ? usage(what) : read_accounts(g, &as);

	if (!code) {
		trials_run(&ts, &o, &as);
		failed = g->of[OPT_JSON] ? report_json(&ts) :
					   report_text(&ts);
		trials_free(&ts);
		code = failed || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	accounts_free(&as);
	return code;
}

int main(int argc, char **argv)
{
	struct given g = { { NULL } };
	int c;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == '?')
			return usage(NULL);
		if (c == OPT_HELP) {
			printf("%s%s", usage_text, help_text);
			return EXIT_SUCCESS;
		}
		if (c == OPT_VERSION) {
			puts("privatecall-probe " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		}
		g.of[c] = optarg ? optarg : "";
	}
	if (optind < argc)
		return usage("expected options alone");
	return run(&g);
}
