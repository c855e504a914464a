/* books_set.c: settings, switches and contacts, as the store was given them
 * (kept: as it has committed them).
 */
#include "tests/sim/watch.h"

/* "bob@calls.x.org" stands for bob. */
int books_peer(const char *own)
{
	unsigned u;

	for (u = 0; u < W.users_n; u++)
		if (strcmp(W.user[u].contact, own) == 0)
			return (int)u;
	return -1;
}

static void set_user(const struct store_op *op, bool kept)
{
	int u = user_of_bare(op->u.setting.user);
	struct settings_user s = { WHO_SERVER, true, SECOND_WAITING,
				   NOTICES_ALWAYS };
	const char *expected_words;

	if (u < 0)
		return;
	s.who_may_call = kept ? O.user_kept[u].who : O.user[u].who;
	s.messages = kept ? O.user_kept[u].messages : O.user[u].messages;
	s.second_call = kept ? O.user_kept[u].second : O.user[u].second;
	s.notices = kept ? O.user_kept[u].notices : O.user[u].notices;
	settings_user_set(&s, op->u.setting.name, op->u.setting.value,
			  &expected_words);
	(kept ? O.user_kept : O.user)[u].who = s.who_may_call;
	(kept ? O.user_kept : O.user)[u].messages = s.messages;
	(kept ? O.user_kept : O.user)[u].second = s.second_call;
	(kept ? O.user_kept : O.user)[u].notices = s.notices;
}

static void set_switch(const struct store_op *op, bool kept)
{
	bool on = !op->u.setting.value || is(op->u.setting.value, "yes");

	if (is(op->u.setting.name, "enabled"))
		*(kept ? &O.kept.enabled : &O.now.enabled) = on;
	else if (is(op->u.setting.name, "messaging"))
		*(kept ? &O.kept.messaging : &O.now.messaging) = on;
}

static void set_contact(const struct store_op *op, bool kept)
{
	int u = user_of_bare(op->u.contact.user);
	int a = is(op->u.contact.contact, DOMAIN) ? SERVICE :
		books_peer(op->u.contact.contact);

	if (u >= 0 && a >= 0)
		(kept ? O.contact_kept : O.contact)[u][a] =
			op->kind == STORE_CONTACT_PUT && op->u.contact.to;
}

void books_set(const struct store_op *op, bool kept)
{
	if (op->kind == STORE_SETTING_PUT || op->kind == STORE_SWITCH_PUT)
		O.settings++;
	switch (op->kind) {
	case STORE_SETTING_PUT:
		set_user(op, kept);
		break;
	case STORE_SWITCH_PUT:
		set_switch(op, kept);
		break;
	case STORE_CONTACT_PUT:
	case STORE_CONTACT_DEL:
		set_contact(op, kept);
		break;
	default:
		break;
	}
}
