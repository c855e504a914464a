/* tables.c: prints the states and transitions of call and leg as Promela, so
 * that the model has them from the same tables as the program (run).
 *
 * For each machine: a number per state, X_MAY(from, to), and x_go(to), which
 * asserts it. In the verifier each transition taken is noted; pan prints them
 * when it ends.
 */
#include <ctype.h>
#include <stdio.h>
#include "mod_privatecall/call/call.h"

struct table {
	const char *name, *prefix; /* "call", "C" */
	unsigned states;
	const unsigned *may;
	const char *(*state_name)(unsigned s);
};

static const char *call_name(unsigned s)
{
	return call_state_name((enum call_state)s);
}

static const char *leg_name(unsigned s)
{
	return leg_state_name((enum leg_state)s);
}

static const char *upper(const char *s)
{
	static char out[64];
	size_t i;

	for (i = 0; s[i] && i < sizeof(out) - 1; i++)
		out[i] = (char)toupper((unsigned char)s[i]);
	out[i] = 0;
	return out;
}

static void print_macros(const struct table *t)
{
	unsigned from, to;

	for (from = 0; from < t->states; from++)
		printf("#define %s_%s %u\n", t->prefix,
		       upper(t->state_name(from)), from);
	printf("#define %s_MAY(f, t) (", t->prefix);
	for (from = 0; from < t->states; from++)
		for (to = 0; to < t->states; to++)
			if (t->may[from] & 1u << to)
				printf("\\\n\t(f == %u && t == %u) || ", from,
				       to);
	printf("\\\n\tfalse)\n");
}

/* The note of what was taken; kept outside of the state on purpose. */
static void print_notes(const struct table *t)
{
	unsigned from, to;

	printf("c_decl {\nstatic char took_%s[%u][%u];\n"
	       "static void print_%s(void)\n{\n", t->name, t->states,
	       t->states, t->name);
	for (from = 0; from < t->states; from++)
		for (to = 0; to < t->states; to++)
			if (t->may[from] & 1u << to)
				printf("\tprintf(\"%%s %s %s > %s\\n\", "
				       "took_%s[%u][%u] ? \"taken\" : "
				       "\"untaken\");\n", t->name,
				       t->state_name(from),
				       t->state_name(to), t->name, from, to);
	printf("}\n}\n");
}

int main(void)
{
	static const struct table tables[] = {
		{ "call", "C", CALL_STATES, call_may, call_name },
		{ "leg", "L", LEG_STATES, leg_may, leg_name },
	};
	unsigned i;

	puts("/* tables.pml: written by tests/model/tables.c */");
	for (i = 0; i < 2; i++) {
		print_macros(&tables[i]);
		print_notes(&tables[i]);
	}
	return 0;
}
