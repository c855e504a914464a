/* mend.c: what an admin can do about a call that did not come about. */
#include "mod_privatecall/probe/mend.h"

#include <string.h>
#include "mod_privatecall/policy/cause.h"

const char mend_presence[] =
	"Is the host of the users one of `hosts' in privatecall.conf? "
	"`privatecallctl check' says what the service knows of it.";
const char mend_no_module[] =
	"The call went past the service. Load mod_privatecall for this host "
	"(doc/admin/prosody.md, doc/admin/ejabberd.md), and see in "
	"`privatecallctl status' that privatecalld is connected; to call "
	"contacts instead, give --component.";
const char mend_no_answer[] =
	"Nothing came back: see `privatecallctl status' and `privatecallctl "
	"check', and the logs of privatecalld and the server.";
const char mend_ice[] =
	"UDP is blocked on the way: let the port of privatecall-media in "
	"(10000/udp, --port) on its host and before it, and out here. Behind "
	"NAT privatecall-media needs --public-address.";
const char mend_dtls[] =
	"Small packets pass, the handshake does not: see the log of "
	"privatecall-media, and whether something between filters UDP.";
const char mend_one_way[] =
	"Packets pass one way alone: see the log of privatecall-media (what "
	"it dropped, and why), and whether something between filters UDP.";
const char mend_loss[] =
	"The network or the machine is overloaded: see `dropped' in the log of "
	"privatecall-media, the load of its host, and the way to it.";
const char mend_mode[] =
	"`media' in privatecall.conf says how media go; with `auto' a client "
	"that is not known yet has its first call in mode room.";
const char mend_log[] =
	"The log of privatecalld has a line about this call.";

static const char offline[] =
	"The service does not see that the called user is online: is the "
	"server's module loaded for his host (`privatecallctl check')? Another "
	"device of his, or a block list, can be the reason too.";
static const char privacy[] =
	"`who_may_call' of the called user forbids it, or calls need messages "
	"(`calls_require_messaging') and one of the two has them off: see "
	"`privatecallctl user ADDRESS'.";
static const char capacity[] =
	"`privatecallctl status' says which it is: privatecall-media is not "
	"there (`systemctl start privatecall-media') or full, or privatecalld "
	"is not connected, or draining.";

static const char *const by_cause[CAUSES] = {
	[CAUSE_NOT_ACTIVE] = offline,
	[CAUSE_PRIVACY] = privacy,
	[CAUSE_SWITCH_OFF] =
		"Calls are switched off: `privatecallctl enable', and "
		"`enabled' in privatecall.conf.",
	[CAUSE_NO_VIDEO] = "Set `allow_video' in privatecall.conf.",
	[CAUSE_BUSY] =
		"The called user is in another call: `privatecallctl calls'. "
		"The probe needs users of its own.",
	[CAUSE_LIMIT] =
		"Five calls of a pair in a minute are the limit: try again "
		"in a minute.",
	[CAUSE_SELF] = "--user and --peer must be two users.",
	[CAUSE_REMOTE] =
		"A user's host is not one of `hosts' in privatecall.conf.",
	[CAUSE_NO_CAPACITY] = capacity,
	[CAUSE_FAILED] = mend_log,
	[CAUSE_ADMIN] = "An administrator ended the call.",
	[CAUSE_INTERRUPTED] =
		"privatecall-media ended under the call: see its log, and "
		"whether it runs again. Calls can be entered again.",
	[CAUSE_INSECURE] =
		"Something changed a fingerprint, or a certificate is not "
		"the one that was announced: see the log of privatecalld.",
};

/* The text of a cause is what it says but for a name before it, and what may
 * follow. */
static bool says(const char *told, const char *text)
{
	size_t len;

	if (!strncmp(text, "%s", 2))
		return strstr(told, text + 2) != NULL;
	len = strlen(text) - 1;
	return !strncmp(told, text, len);
}

const char *mend_told(const struct phone_said *told)
{
	const char *text;
	unsigned c;

	for (c = 0; c < CAUSES; c++) {
		text = cause_row(c)->text;
		if (by_cause[c] && text && says(told->text, text))
			return by_cause[c];
	}
	return mend_log;
}

const char *mend_login(const char *why)
{
	static const struct {
		const char *word, *mend;
	} known[] = {
		{ "ertificate", "Mend the server's certificate, or take any "
				"by --tls any." },
		{ "uth", "Does the account exist, and is this its password?" },
		{ "SASL", "Does the account exist, and is this its password?" },
		{ "refused", "Does the server run, and is it there? --host "
			     "and --port name another place." },
		{ "LS", "The server's certificate or encryption does not fit: "
			"--tls any takes any certificate, --tls no goes "
			"without." },
	};
	unsigned i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(why, known[i].word))
			return known[i].mend;
	return "Is the server there, and let this host in? --host and --port "
	       "name another place than the address does.";
}

const char *mend_error(const char *condition, bool contacts)
{
	if (contacts && (!strcmp(condition, "remote-server-not-found") ||
			 !strcmp(condition, "item-not-found") ||
			 !strcmp(condition, "service-unavailable") ||
			 !strcmp(condition, "remote-server-timeout") ||
			 !strcmp(condition, "not-allowed")))
		return "There is no component of that name: does privatecalld "
		       "run, is it connected (`privatecallctl status'), and "
		       "is --component its `domain'?";
	if (!strcmp(condition, "forbidden"))
		return mend_presence;
	if (!contacts)
		return mend_no_module;
	return mend_no_answer;
}
