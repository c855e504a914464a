/* report.c: what came of test calls, for people or as JSON. */
#include "mod_privatecall/probe/report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 5                    /* calls that failed at one step */

static const double shares[] = { 0.5, 0.9, 0.99 };
static const char *const share_names[] = { "p50", "p90", "p99" };

/* ms that a step took; negative: it did not come to its end. */
static double took(const struct trial *t, unsigned step)
{
	return t->at[step] && t->at[step + 1] ?
	       (double)(t->at[step + 1] - t->at[step]) / 1e6 : -1;
}

static unsigned failed(const struct trials *ts)
{
	unsigned i, n = 0;

	for (i = 0; i < ts->n; i++)
		n += ts->list[i].failed;
	return n;
}

static struct peer_sum sum_of(const struct trials *ts)
{
	struct peer_sum all = { 0 };
	unsigned i;

	for (i = 0; i < ts->n; i++)
		if (ts->list[i].at[TRIAL_MEDIA])
			trial_add(&ts->list[i], &all);
	return all;
}

static double loss_of(const struct peer_sum *sum)
{
	return sum->sent ? 100.0 * (double)(sum->sent - sum->got) /
			   (double)sum->sent : 0;
}

/* ms from the last packet that a side heard until it was told of the end. */
static double told_after(const struct trial *t, unsigned side)
{
	return (double)(t->ended[side] - t->peer[side]->heard) / 1e6;
}

/* --- for people ------------------------------------------------------- */

static void print_failure(const struct trial *t)
{
	const char *notice = t->phone[TRIAL_CALLER].notice.text;

	printf("  %s -> %s: %s\n", t->account[TRIAL_CALLER]->jid,
	       t->account[TRIAL_CALLEE]->jid, t->what);
	if (*notice)
		printf("  The caller was told: %s\n", notice);
}

/* One call: a line for each step. */
static void print_steps(const struct trial *t)
{
	unsigned i;

	for (i = 0; i < TRIAL_STEPS && t->at[i]; i++)
		if (t->failed && i == t->step)
			printf("%-9s FAIL\n", trial_step_name(i));
		else
			printf("%-9s ok   %8.1f ms\n", trial_step_name(i),
			       took(t, i));
	if (t->failed)
		print_failure(t);
	if (t->failed && t->mend)
		printf("  To mend it: %s\n", t->mend);
}

static void print_failures(const struct trials *ts, unsigned step)
{
	const struct trial *t;
	unsigned i, n = 0;

	for (i = 0; i < ts->n; i++) {
		t = &ts->list[i];
		if (!t->failed || t->step != step)
			continue;
		if (!n++)
			printf("%s\n", trial_step_name(step));
		if (n <= SHOWN)
			print_failure(t);
		if (n == 1 && t->mend)
			printf("  To mend it: %s\n", t->mend);
	}
	if (n > SHOWN)
		printf("  and %u more\n", n - SHOWN);
}

/* Many calls: how long each step took in the middle and at most. */
static void print_times(const struct trials *ts)
{
	double ms, most, all;
	unsigned i, k, n;

	for (k = 0; k < TRIAL_STEPS; k++) {
		most = all = n = 0;
		for (i = 0; i < ts->n; i++) {
			ms = took(&ts->list[i], k);
			if (ms < 0)
				continue;
			n++;
			all += ms;
			most = ms > most ? ms : most;
		}
		if (n && k != TRIAL_MEDIA)
			printf("%-9s %4u ok  mean %8.1f ms  most %8.1f ms\n",
			       trial_step_name(k), n, all / n, most);
	}
}

unsigned report_text(const struct trials *ts)
{
	struct peer_sum sum = sum_of(ts);
	unsigned i, bad = failed(ts);

	if (ts->n == 1) {
		print_steps(&ts->list[0]);
	} else {
		print_times(ts);
		for (i = 0; i < TRIAL_STEPS; i++)
			print_failures(ts, i);
	}
	if (sum.sent && ts->counting) {
		printf("media: %llu packets of %llu came (%.3f %% lost), "
		       "%llu wrong; they took",
		       (unsigned long long)sum.got,
		       (unsigned long long)sum.sent, loss_of(&sum),
		       (unsigned long long)sum.wrong);
		for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
			printf("%s %.2f ms (%s)", i ? "," : "",
			       peers_latency(&ts->peers, shares[i]) / 1e3,
			       share_names[i]);
		printf("\nRTCP: %llu reports of %llu came\n",
		       (unsigned long long)sum.reports_got,
		       (unsigned long long)sum.reports_sent);
	}
	if (ts->n == 1 && ts->list[0].mode)
		printf("mode: %s\n", trial_mode_name(ts->list[0].mode));
	printf("%u of %u calls passed\n", ts->n - bad, ts->n);
	return bad;
}

/* --- JSON ------------------------------------------------------------- */

static json_t *text(const char *s)
{
	json_t *j = s && *s ? json_string(s) : NULL;

	return j ? j : json_null();
}

static json_t *steps(const struct trial *t)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < TRIAL_STEPS && t->at[i]; i++)
		if (took(t, i) >= 0)
			json_array_append_new(list, json_pack("{s:s, s:f}",
				"step", trial_step_name(i), "ms",
				took(t, i)));
	return list;
}

static json_t *media(const struct peer_sum *sum)
{
	return json_pack("{s:I, s:I, s:I, s:f, s:I, s:{s:I, s:I}}",
			 "sent", (json_int_t)sum->sent,
			 "got", (json_int_t)sum->got,
			 "lost", (json_int_t)(sum->sent - sum->got),
			 "lost_percent", loss_of(sum),
			 "wrong", (json_int_t)sum->wrong, "reports",
			 "sent", (json_int_t)sum->reports_sent,
			 "got", (json_int_t)sum->reports_got);
}

/* With which words a side was told of an end that was not its own. */
static json_t *told(const struct trial *t, unsigned side)
{
	if (!t->ended[side])
		return json_null();
	return json_pack("{s:o, s:o, s:o}",
			 "reason", text(t->said[side].condition),
			 "text", text(t->said[side].text),
			 "ms", t->peer[side]->heard ?
			 json_real(told_after(t, side)) : json_null());
}

static json_t *failure(const struct trial *t)
{
	if (!t->failed)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "step", trial_step_name(t->step),
			 "what", text(t->what), "mend", text(t->mend));
}

static json_t *call(const struct trial *t)
{
	struct peer_sum sum = trial_sum(t);

	return json_pack(
		"{s:s, s:s, s:b, s:o, s:o, s:o, s:o,"
		" s:{s:o, s:o}, s:{s:o, s:o}}",
		"caller", t->account[TRIAL_CALLER]->jid,
		"callee", t->account[TRIAL_CALLEE]->jid,
		"ok", !t->failed, "mode", text(trial_mode_name(t->mode)),
		"steps", steps(t), "media",
		t->at[TRIAL_MEDIA] ? media(&sum) : json_null(),
		"failed", failure(t),
		"told", "caller", told(t, TRIAL_CALLER),
		"callee", told(t, TRIAL_CALLEE),
		"notices", "caller", text(t->phone[TRIAL_CALLER].notice.text),
		"callee", text(t->phone[TRIAL_CALLEE].notice.text));
}

unsigned report_json(const struct trials *ts)
{
	struct peer_sum sum = sum_of(ts);
	json_t *all, *list = json_array(), *latency = json_object();
	unsigned i, bad = failed(ts);

	for (i = 0; i < ts->n; i++)
		json_array_append_new(list, call(&ts->list[i]));
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		json_object_set_new(latency, share_names[i], sum.got ?
			json_integer(peers_latency(&ts->peers, shares[i])) :
			json_null());
	all = json_pack("{s:b, s:i, s:o, s:o, s:o}", "ok", !bad, "failed",
			(int)bad, "media", media(&sum), "latency_us", latency,
			"calls", list);
	if (!all)
		peers_die("out of memory");
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(all);
	return bad;
}
