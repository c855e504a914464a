/* run.c: takes the place of cmocka's runner: each test of a program is run in
 * a child of its own, again and again, with the n-th allocation, store
 * operation, descriptor or send failing, until a run does not come that far.
 *
 * A run is good when nothing is broken by it: the test passes and nothing
 * leaks; or one of its assertions says that the fault was noticed; or it waits
 * for what the fault took away, idle for 2 s. It is bad when it ends by a
 * signal, a report of a sanitizer, a leak, an exit in the middle, or not
 * within 30 s. The tests in tests/fail/ are written for faults: there a
 * failing assertion is bad too, and they look themselves whether time runs out.
 *
 * FAIL_SAMPLE=K tries K of each n, chosen by FAIL_SEED; without it all. A test
 * that counts more than FAIL_MOST=K (it repeats a story in a loop) gets the
 * first K / 2 and a sample of as many.
 * FAIL_SHARE=K tries one test of K, chosen likewise.
 * FAIL_AGAIN=KIND:N judges one that was bad once (tests/fail/found).
 * FAIL_ONE=KIND:N runs one in this process, which shows where the fault was
 * met. FAIL_TEST=PATTERN: only the tests whose name has it in it.
 */
#include "tests/fail/fail.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define RUN_MS 30000               /* longest run */
#define IDLE_MS 2000               /* without use of the processor */
#define STEP_MS 100
#define IDLE (-1)
#define ENDLESS (-2)
#define NOTICED 42                 /* exit code: an assertion failed */
#define SHOWN_MAX 3                /* bad runs shown of one kind */

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
typedef int group_runner(const char *name, const struct CMUnitTest *tests,
			 const size_t n, CMFixtureFunction setup,
			 CMFixtureFunction teardown);

enum verdict { CLEAN, PASSED, TOLD, WAITED, BAD, VERDICTS };

static struct group {
	const char *name, *program;
	group_runner *run;
	CMFixtureFunction setup, teardown;
	bool strict;               /* a program of tests/fail/ */
	int log;                   /* what the child says */
	uint64_t seed;
	unsigned results, bad;
	unsigned long runs[VERDICTS];
} group;

/* cmocka catches signals; a sanitizer's report is better. */
const char *__asan_default_options(void)
{
	return "handle_segv=2:handle_sigbus=2:handle_sigfpe=2:"
	       "handle_sigill=2:detect_stack_use_after_return=0";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

/* CMOCKA_TEST_ABORT makes a failing assertion end here: no stack of a test is
 * left while its threads and handles live on. */
void abort(void)
{
	Dl_info caller;

	if (dladdr(__builtin_return_address(0), &caller) &&
	    strstr(caller.dli_fname, "libcmocka"))
		_exit(NOTICED);
	signal(SIGABRT, SIG_DFL);
	raise(SIGABRT);
	_exit(127);
}

static int play_test(const struct CMUnitTest *test)
{
	return group.run(group.name, test, 1, group.setup, group.teardown);
}

static void run_child(const struct CMUnitTest *test, enum fail_kind kind,
		      long n)
{
	int rc;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);      /* no run outlives us */
	dup2(group.log, 1);
	dup2(group.log, 2);
	fail_arm(kind, n);
	rc = play_test(test);
	fail_armed = false;
	fflush(NULL);
	if (rc)
		_exit(NOTICED);
	exit(0);                   /* looks for leaks */
}

static char *log_text(void)
{
	static char text[65536];
	ssize_t n = pread(group.log, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Where the file is that a report or failed assertion names first: in the
 * tests, or elsewhere? */
static bool tests_own_fault(const char *text)
{
	static const char *const marks[] = {
		"ERROR: AddressSanitizer", "runtime error:", ": Assertion `",
	};
	const char *at = NULL, *own, *core, *jingle;
	unsigned i;

	for (i = 0; i < 3 && !at; i++)
		at = strstr(text, marks[i]);
	while (at && i > 1 && at > text && at[-1] != '\n')
		at--;
	own = at ? strstr(at, "tests/") : NULL;
	core = at ? strstr(at, "mod_privatecall/") : NULL;
	jingle = at ? strstr(at, "jingle/") : NULL;
	return own && (!core || own < core) && (!jingle || own < jingle);
}

/* Processor time of a process and of those it has waited for, in ticks. */
static unsigned long ticks_of(pid_t pid)
{
	unsigned long t[4] = { 0, 0, 0, 0 };
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	f = fopen(name, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
			"%*u %*u %lu %lu %lu %lu", &t[0], &t[1], &t[2],
			&t[3]) < 4)
		t[0] = 0;
	if (f)
		fclose(f);
	return t[0] + t[1] + t[2] + t[3];
}

/* Ends what the child has made. Its status; IDLE: since the fault it waits for
 * something that does not come; ENDLESS: it did not end. Without a fault a
 * long wait is that of a busy machine. */
static int wait_child(pid_t pid)
{
	struct pollfd p = { .events = POLLIN };
	unsigned long before = 0, after;
	int status, ms = 0, idle = 0, ready = 0;

	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	while (ready <= 0 && ms < RUN_MS && idle < IDLE_MS) {
		ready = poll(&p, 1, STEP_MS);
		after = ready > 0 ? 0 : ticks_of(pid);
		idle = after == before && fail->met && !group.strict ?
		       idle + STEP_MS : 0;
		before = after;
		ms += STEP_MS;
	}
	if (ready <= 0)
		kill(pid, SIGKILL);
	kill(-pid, SIGKILL);
	close(p.fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return ready > 0 ? status : idle >= IDLE_MS ? IDLE : ENDLESS;
}

static enum verdict judge(int status, const char **why_r)
{
	const char *text = log_text();

	*why_r = "ends by a signal, an exit or a report";
	if (status == IDLE) {
		*why_r = "waits for what does not come";
		return fail->met ? WAITED : BAD;
	}
	if (status == ENDLESS)
		*why_r = "does not end";
	else if (strstr(text, "LeakSanitizer"))
		*why_r = "leaks";
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
		 !strstr(text, "ERROR: AddressSanitizer") &&
		 !strstr(text, "runtime error:"))
		return fail->met ? PASSED : CLEAN;
	else if (!fail->met)
		*why_r = "fails without a fault";
	else if (WIFEXITED(status) && WEXITSTATUS(status) == NOTICED)
		*why_r = "an assertion fails";
	else if (!tests_own_fault(text))
		return BAD;
	return group.strict || !fail->met ? BAD : TOLD;
}

static enum verdict run_once(const struct CMUnitTest *test,
			     enum fail_kind kind, long n, const char **why_r)
{
	pid_t pid;

	if (ftruncate(group.log, 0) || lseek(group.log, 0, SEEK_SET))
		return BAD;
	fflush(NULL);
	fail->met = false;
	pid = fork();
	if (pid == 0)
		run_child(test, kind, n);
	if (pid < 0)
		return BAD;
	return judge(wait_child(pid), why_r);
}

static void show_bad(const struct CMUnitTest *test, enum fail_kind kind,
		     long n, const char *why)
{
	const char *line = log_text();
	size_t len;
	unsigned i;

	printf("# %s, %s %ld: %s; FAIL_ONE=%s:%ld FAIL_TEST='%s' %s\n",
	       test->name, fail_names[kind], n, why, fail_names[kind], n,
	       test->name, group.program);
	for (i = 0; i < 40 && *line; i++) {
		len = strcspn(line, "\n");
		printf("#   %.*s\n", (int)(len < 160 ? len : 160), line);
		line += len + (line[len] == '\n');
	}
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

static uint64_t next_random(void)
{
	uint64_t x = group.seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Counts in runs[] by verdict. */
static enum verdict count_run(const struct CMUnitTest *test,
			      enum fail_kind kind, long n,
			      unsigned long *runs)
{
	const char *why = "";
	enum verdict v = run_once(test, kind, n, &why);

	group.runs[v]++;
	if (runs[v]++ < SHOWN_MAX && v == BAD)
		show_bad(test, kind, n, why);
	return v;
}

static void run_sample(const struct CMUnitTest *test, enum fail_kind kind,
		       long count, long sample, unsigned long *runs)
{
	for (; sample > 0; sample--)
		count_run(test, kind,
			  (long)(next_random() % (uint64_t)count), runs);
}

/* All n up to a clean run, or as many as wanted of `count`. */
static void run_kind(const struct CMUnitTest *test, enum fail_kind kind,
		     long count, long sample)
{
	unsigned long runs[VERDICTS] = { 0 };
	long most = number("FAIL_MOST", LONG_MAX), n;

	if (count == 0)
		return;
	if (sample > 0 && sample < count) {
		run_sample(test, kind, count, sample, runs);
	} else if (count > most) {
		for (n = 0; n < most / 2; n++)
			count_run(test, kind, n, runs);
		run_sample(test, kind, count, most / 2, runs);
	} else {
		for (n = 0; count_run(test, kind, n, runs) != CLEAN &&
		     n < 10 * count + 100; n++)
			;
	}
	group.bad += runs[BAD] > 0;
	printf("%sok %u - %s, %s of %ld: %lu pass, %lu assert, %lu wait, "
	       "%lu bad\n", runs[BAD] ? "not " : "", ++group.results,
	       test->name, fail_names[kind], count, runs[PASSED], runs[TOLD],
	       runs[WAITED], runs[BAD]);
	fflush(stdout);
}

static void run_all(const struct CMUnitTest *test, long sample)
{
	unsigned long runs[VERDICTS] = { 0 };
	long count[FAIL_KINDS];
	unsigned i;

	if (count_run(test, FAIL_MEMORY, -1, runs) != CLEAN) {
		printf("not ok %u - %s: no clean run\n", ++group.results,
		       test->name);
		group.bad++;
		return;
	}
	for (i = 0; i < FAIL_KINDS; i++)
		count[i] = fail->count[i];
	for (i = 0; i < FAIL_KINDS; i++)
		run_kind(test, i, count[i], sample);
}

static enum fail_kind read_fault(const char *text, long *n_r)
{
	const char *n = strchr(text, ':');
	unsigned kind = 0;

	while (n && kind < FAIL_KINDS &&
	       strncmp(text, fail_names[kind], (size_t)(n - text)) != 0)
		kind++;
	if (!n || kind == FAIL_KINDS) {
		fprintf(stderr, "FAIL_ONE, FAIL_AGAIN: expected KIND:N\n");
		exit(64);
	}
	*n_r = atol(n + 1);
	return kind;
}

/* FAIL_ONE: in this process, with the fault's stack. */
static int run_one(const struct CMUnitTest *test, const char *one)
{
	long n;
	enum fail_kind kind = read_fault(one, &n);

	fail->shown = true;
	fail_arm(kind, n);
	return play_test(test);
}

static void run_again(const struct CMUnitTest *test, const char *again)
{
	unsigned long runs[VERDICTS] = { 0 };
	long n;
	enum fail_kind kind = read_fault(again, &n);
	bool bad = count_run(test, kind, n, runs) == BAD;

	group.bad += bad;
	printf("%sok %u - %s, %s %ld, found before\n", bad ? "not " : "",
	       ++group.results, test->name, fail_names[kind], n);
}

static void start(const char *name)
{
	static char program[4096];

	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		abort();
	group.name = name;
	group.program = program;
	group.strict = strstr(program, "/tests/fail/") != NULL;
	group.run = (group_runner *)(uintptr_t)
		dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
	group.log = memfd_create("log", MFD_CLOEXEC);
	fail = mmap(NULL, sizeof(*fail), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!group.run || group.log < 0 || fail == MAP_FAILED)
		abort();
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	fail_start();
}

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests,
			    const size_t n, CMFixtureFunction setup,
			    CMFixtureFunction teardown)
{
	const char *only = getenv("FAIL_TEST"), *one = getenv("FAIL_ONE");
	const char *again = getenv("FAIL_AGAIN");
	long sample = number("FAIL_SAMPLE", 0), share = number("FAIL_SHARE", 1);
	size_t i;

	start(name);
	group.setup = setup;
	group.teardown = teardown;
	for (i = 0; i < n; i++) {
		group.seed = (uint64_t)number("FAIL_SEED", 1) * 1000003 + i +
			     strlen(group.program) * 7919;
		if (only && !strstr(tests[i].name, only))
			continue;
		if (share > 1 && next_random() % (uint64_t)share)
			continue;
		if (one)
			return run_one(&tests[i], one);
		if (again)
			run_again(&tests[i], again);
		else
			run_all(&tests[i], sample);
	}
	printf("1..%u\n# %lu clean, %lu pass, %lu assert, %lu wait, %lu bad\n",
	       group.results, group.runs[CLEAN], group.runs[PASSED],
	       group.runs[TOLD], group.runs[WAITED], group.runs[BAD]);
	return group.bad > 0;
}
