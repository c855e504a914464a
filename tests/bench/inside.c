/* inside.c: the whole daemon, production code, with a window for the bench: a
 * clock that it moves and a control command that counts what is there.
 */
#include <dirent.h>
#include <malloc.h>
#include <sqlite3.h>
#include <time.h>

int daemon_main(int argc, char **argv);

#define main daemon_main
#include "mod_privatecall/daemon/main.c"
#undef main

static int64_t moved = 1000000;

/* The time of the timers stands still unless it is moved: on a slow machine ten
 * thousand calls at once would run into their time-outs. The day's goes on. */
int64_t clock_now(void)
{
	return moved;
}

int64_t clock_wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + moved;
}

static json_int_t count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	json_int_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static json_int_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (json_int_t)pages * sysconf(_SC_PAGESIZE);
}

/* Of a table whose type is hidden: the handle comes first in all of them. */
static unsigned entries(const void *table)
{
	const UT_hash_handle *hh = table;

	return hh ? hh->tbl->num_items : 0;
}

static void note(json_t *data, const char *name, uint64_t n)
{
	json_object_set_new(data, name, json_integer((json_int_t)n));
}

/* mallinfo2() looks at every piece of memory that is free. What the link keeps
 * for the next bytes is half a megabyte at most, and as much as a slow machine
 * has once made wait: of no call. */
static void note_memory(json_t *data, const struct link_counters *lc)
{
	struct mallinfo2 m = mallinfo2();

	note(data, "heap", m.uordblks + m.hblkhd - lc->spare_bytes -
	     (uint64_t)sqlite3_memory_used());
	note(data, "sqlite", (uint64_t)sqlite3_memory_used());
	json_object_set_new(data, "rss", json_integer(resident()));
	json_object_set_new(data, "files", json_integer(count_files()));
}

/* "bench MS [all]": moves the clock, runs what is due, counts. */
static void bench(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;
	json_t *data = json_object();
	struct link_counters lc = { .queued_bytes = 0 };

	moved += argc > 1 ? atoll(argv[1]) : 0;
	daemon_tick(dm);
	link_counters(dm->link, &lc);
	if (argc > 2)
		note_memory(data, &lc);
	/* What server and media process have not taken yet is memory of no
	 * call. */
	note(data, "settled", hold_settled(dm) && !lc.queued_bytes &&
	     !media_queued(dm) && !outbox_count(dm->outbox));
	note(data, "timers", dm->heap_n);
	note(data, "live", dm->live);
	note(data, "media", media_is_up(dm));
	note(data, "by_pair", HASH_CNT(hh_pair, dm->by_pair));
	note(data, "by_id", HASH_CNT(hh_id, dm->by_id));
	note(data, "by_user", entries(dm->by_user));
	note(data, "users", entries(dm->users));
	note(data, "iqs", iq_table_count(dm->iqs));
	note(data, "held", dm->held_bytes);
	note(data, "commits", dm->committed_n);
	note(data, "attempts", dm->count.calls);
	note(data, "answered", dm->count.answered);
	note(data, "ignored", dm->count.ignored);
	note(data, "cut_short", dm->count.cut_short);
	note(data, "done_max", DAEMON_DONE_MAX);
	note(data, "degraded", dm->count.degraded);
	ctl_answer(r, 0, data, "%s", "");
}

const struct ctl_command *clock_command(void)
{
	static const struct ctl_command command = {
		"bench", "bench [MS [all]]", "move the clock, count", 0, 2,
		bench,
	};

	return &command;
}
