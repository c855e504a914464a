/* trial.h: test calls: pairs of users, each of whom logs in, calls, and checks
 * every step. A step that does not come in time, or otherwise than it should,
 * is what the call failed at; the rest of it is not tried.
 *
 *   login  presence  ring  proceed  offer  accept  ice  dtls  media  end
 *
 * A few calls at once are on their way to `media'; there they stay until the
 * last one has come, and for as long as wanted. All of it is one thread.
 */
#ifndef MOD_PRIVATECALL_PROBE_TRIAL_H
#define MOD_PRIVATECALL_PROBE_TRIAL_H

#include "mod_privatecall/probe/accounts.h"
#include "mod_privatecall/probe/peer.h"
#include "mod_privatecall/probe/phone.h"

#define TRIAL_WHAT_SIZE 640

enum trial_step {
	TRIAL_LOGIN, TRIAL_PRESENCE, TRIAL_RING, TRIAL_PROCEED, TRIAL_OFFER,
	TRIAL_ACCEPT, TRIAL_ICE, TRIAL_DTLS, TRIAL_MEDIA, TRIAL_END,
	TRIAL_STEPS
};
enum trial_mode { TRIAL_UNKNOWN, TRIAL_DIRECT, TRIAL_BLIND, TRIAL_ROOM };
enum { TRIAL_CALLER, TRIAL_CALLEE, TRIAL_SIDES };

struct trial_options {
	struct client_options client;
	const char *component;     /* whose contacts are called; NULL: the
				      users' own addresses */
	const char *address;       /* of this host, for media; NULL: found */
	enum trial_mode mode;      /* that it must come to; UNKNOWN: any */
	bool video;
	unsigned seconds;          /* of media */
	double max_loss;           /* % */
	void (*running_h)(unsigned calls);         /* all that will are */
};

struct trial {
	struct trials *all;
	const struct account *account[TRIAL_SIDES];
	struct phone phone[TRIAL_SIDES];
	struct peer *peer[TRIAL_SIDES];
	bool begun, running, over, failed;
	bool registered[TRIAL_SIDES], seen[TRIAL_SIDES];
	bool proposed, ringing;
	enum trial_step step;      /* of a failed one: where */
	enum trial_mode mode;
	int64_t at[TRIAL_STEPS + 1];       /* ns, when a step began */
	int64_t deadline;          /* of the step */
	int64_t ended[TRIAL_SIDES];        /* ns, when told so; 0: not */
	struct phone_said said[TRIAL_SIDES];       /* and with which words */
	char what[TRIAL_WHAT_SIZE];        /* why it failed */
	const char *mend;
};

struct trials {
	struct trial_options o;
	struct clients *clients;
	struct peers peers;
	unsigned n;
	struct trial *list;
	bool counting;             /* all that will run do */
	int64_t until;             /* ns, when they have for long enough */
};

const char *trial_step_name(enum trial_step s);
const char *trial_mode_name(enum trial_mode m);
enum trial_mode trial_mode_parse(const char *name);        /* or UNKNOWN */

/* Accounts 2n and 2n + 1 are the caller and the callee of call n. Runs all
 * until they are over. */
void trials_run(struct trials *ts, const struct trial_options *o,
		const struct accounts *as);
void trials_free(struct trials *ts);
/* What was sent and came, of both sides of a call. */
struct peer_sum trial_sum(const struct trial *t);
void trial_add(const struct trial *t, struct peer_sum *sum);

#endif
