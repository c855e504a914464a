/* call.pml: two users, their devices and privatecalld on a network that loses
 * and repeats, with crashes: does every call end well?
 *
 *   alice: devices 0, 1      bob: devices 2, 3      (0 and 2 can call)
 *      \  to_server[d]  --->  daemon.pml  --->  to_device[d]  /
 *
 * One process makes one move at a time; a move is a user's, a fault, the
 * store's, a timer's, or the arrival of a stanza. Timers may pass at any time
 * when armed. All counts are bounded, and nothing may go on for ever: so
 * where no move is left, all must be over (`rest`). Bounds come from the
 * environment: see run, and doc/model.md for what is not modelled.
 */
c_decl {
static int bound(const char *name, int otherwise)
{
	const char *value = getenv(name);

	return value ? atoi(value) : otherwise;
}
}

hidden byte calls_a, calls_b;  /* calls that alice, that bob makes */
hidden byte PLAIN;             /* devices without JMI (XEP-0353) */
hidden byte FULL;              /* ... that the bare JID does not reach */
hidden byte FORBID;            /* 1: bob may forbid calls, or block */
hidden byte broken;            /* a rule is broken: see below */

/* Rules that can be broken, each to see a property fail (run --broken). */
#define SEND_BEFORE_COMMIT 1
#define RING_UNSAVED 2
#define NO_STOP 3
#define STORED_STOP 4
#define SID_OF_OTHERS 5
#define NO_SID_CHECK 6
#define NO_FROM_CHECK 7
#define CALLER_ANSWERS 8
#define NOTICE_LATER 9
#define NO_REPEAT 10
#define NO_REPEAT_ANSWERED 11
#define GLARE_MISSED 12
#define NO_VERDICT 13
#define SWITCH_DEAF 14
#define NO_PING 15
#define NOTICE_EARLY 16
#define SETUP_FOREVER 17
#define OFFER_UNSAVED 18
#define RERING_UNSAVED 19
#define OLD_HELD 20
#define ENDS_DROPPED 21

#define DEVICES 4
#define NOBODY 7
#define HELD 10
#define QUEUE 7
#define BIT(d) (1 << (d))
#define USER(d) ((d) >> 1)
#define OF(u) (3 << (2 * (u)))
#define BARE(u) (DEVICES + (u))

mtype = { PROPOSE, RETRACT, RETRACT_STORED, REJECT, REJECT_BUSY, REJECT_TIE,
	  REJECT_LATE, PROCEED, FINISH, INITIATE, ACCEPT, TERMINATE,
	  TERMINATE_BUSY, FAULT, PING, CARBON, BOUNCE, ERR_INIT, ERR_ACCEPT,
	  ERR_PING };

/* leg_class */
#define HOLD 0
#define FREE 1
#define AFTER 2
/* leg_stop */
#define STOP_ELSEWHERE 0
#define STOP_CANCEL 1
#define STOP_SILENT 2
/* enum cause, what is needed of it */
#define NONE 0
#define NOT_ACTIVE 1
#define BLOCKED 2
#define SWITCH_OFF 3
#define BUSY 4
#define DECLINED 5
#define UNANSWERED 6
#define CANCELLED 7
#define GLARE 8
#define RESTART 9
#define CALLER_GONE 10
#define FAILED 11
#define ENDED 12
#define REENTERED 13
/* notices */
#define MISSED 1
#define DETAILS 2
#define OTHER 4
/* allow[user] */
#define ALLOWED 0
#define FORBIDDEN 1
#define BLOCKING 2
/* a device's part in a session */
#define OUT 0
#define PROPOSED 1             /* calls */
#define INITIATED 2            /* ... and has sent its offer */
#define RINGS 1                /* is called */
#define ANSWERED 2             /* ... and has said proceed */
#define TALKS 3

chan to_server[DEVICES] = [QUEUE] of { mtype, byte };
chan to_device[DEVICES] = [QUEUE] of { mtype, byte };

bit up = 1, link = 1;          /* the daemon, its link */
bit verify;                    /* presence is asked for after a break */
bit site = 1;                  /* the site switch */
byte allow[2];
byte online;                   /* devices there, a bit each */

/* Devices: the call they make, the call they get. */
byte out_st[DEVICES], out_sid[DEVICES];
byte in_st[DEVICES], in_sid[DEVICES];
byte seen[DEVICES];            /* a client knows a propose that comes twice */
bit yielded[DEVICES];          /* gave way once in the call it makes */

/* What is left of the bounds. */
byte calls[2];
byte loss;                     /* stanzas lost */
byte dup;                      /* stanzas that come again, later */
byte crashes;                  /* of the daemon */
byte cuts;                     /* of its link to the server */
byte gones;                    /* devices that go, or come */
byte offs;                     /* the site switch goes off */
byte evil;                     /* stanzas of who has no say in the call */
byte cancels;                  /* callers and answerers who think again */
byte declines;                 /* devices that decline, are busy, time out */

/* What only the properties need. */
byte accepts;                  /* devices whose user said yes to this ring */
byte excused;                  /* devices that lost a stanza, or whose call
				  the daemon never stored: they end what they
				  do by timers of their own */
bit rang_once[2], explained[2];        /* rung; ... and not simply missed */
byte owed[2], got[2];          /* notices committed, and come */
bit ghost_glare;

/* The move under way. */
byte dv, sd;
bit steps;                     /* the daemon is in a step */
mtype kd;

#include "tables.pml"
#include "daemon.pml"

c_decl {
static void print_tables(void)
{
	print_call();
	print_leg();
}
}

inline ghost_answer()
{
	du = !caller;
	/* I04: of a rung device, and its user said so. */
	assert(d_in & BIT(ldev[du]));
	assert(accepts & BIT(ldev[du]));
	/* I05: one wins. */
	assert(!answered);
	accepts = accepts & ~OF(du);
	explained[du] = 1
}

inline ghost_end()
{
	if
	:: cause == DECLINED || cause == GLARE || cause == REENTERED ||
	   cause == BLOCKED || cause == FAILED || glare_won ->
		explained[!caller] = 1
	:: else
	fi
}

/* --- the network --------------------------------------------------------- */

/* An IQ to who is not there comes back as an error. */
inline to_nobody(kind, d)
{
	if
	:: kind == INITIATE -> to_server[d] ! ERR_INIT, 0
	:: kind == ACCEPT -> to_server[d] ! ERR_ACCEPT, 0
	:: kind == PING -> to_server[d] ! ERR_PING, 0
	:: else
	fi
}

#define IS_JMI(k) (k == PROPOSE || k == RETRACT || k == RETRACT_STORED || \
	k == REJECT || k == PROCEED || k == FINISH || k == CARBON)

/* What will change nothing at a device that waits for nothing is left out:
 * only a propose makes it matter, and that would be in the queue. */
#define MOOT(k, sid, d) (k != PROPOSE && k != INITIATE && k != ACCEPT && \
	k != PING && len(to_device[d]) == 0 && \
	!(in_st[d] != OUT && in_sid[d] == sid) && \
	!(out_st[d] != OUT && out_sid[d] == sid))

inline deliver_one(kind, sid, d)
{
	if
	:: MOOT(kind, sid, d)
	:: !MOOT(kind, sid, d) && IS_JMI(kind) && (PLAIN & BIT(d))
	:: !MOOT(kind, sid, d) && !(IS_JMI(kind) && (PLAIN & BIT(d))) &&
	   !(online & BIT(d)) ->
		to_nobody(kind, d)
	:: else ->
		assert(nfull(to_device[d]));
		to_device[d] ! kind, sid
	fi
}

inline deliver(kind, sid, to)
{
	if
	:: to >= DEVICES && allow[to - DEVICES] == BLOCKING ->
		if
		:: kind == PROPOSE ->
			to_server[2 * (to - DEVICES)] ! BOUNCE, sid
		:: else
		fi
	:: to >= DEVICES && allow[to - DEVICES] != BLOCKING ->
		for (i_ : 0 .. 1) {
			dd = 2 * (to - DEVICES) + i_;
			if
			:: (online & ~FULL & ~PLAIN & BIT(dd)) ->
				deliver_one(kind, sid, dd)
			:: else
			fi
		}
	:: else -> deliver_one(kind, sid, to)
	fi
}

/* A client says something. While nobody is there to hear it, the server tells
 * the client so. */
inline say(d, kind, sid)
{
	printf("device %d: #%d %d\n",
	       d, kind, sid);
	if
	:: up && link ->
		assert(nfull(to_server[d]));
		to_server[d] ! kind, sid
	:: else ->
		if
		:: kind == PROPOSE || kind == INITIATE -> out_st[d] = OUT
		:: kind == ACCEPT -> in_st[d] = OUT
		:: else
		fi
	fi
}

/* Carbons: the user's other device learns of it. */
inline carbon(d, sid)
{
	dd = (d) ^ 1;
	if
	:: (online & ~PLAIN & BIT(dd)) -> deliver_one(CARBON, sid, dd)
	:: else
	fi
}

inline client_rings(d, sid)
{
	/* I01: nobody who forbids it is rung. */
	assert(allow[USER(d)] == ALLOWED);
	rang_once[USER(d)] = 1;
	accepts = accepts & ~BIT(d);
	in_st[d] = RINGS;
	in_sid[d] = sid;
	/* A new call of the same peer takes the place of what was (XEP-0353,
	 * existing session). */
	if
	:: out_st[d] == TALKS -> out_st[d] = OUT
	:: else
	fi
}

/* A terminate, a fault or a finish. What is no session yet is not ended by a
 * terminate; a call that only rings out, as Dino's, by a reject alone. */
inline client_ends(d, kind, sid)
{
	if
	:: in_sid[d] == sid && (kind == FINISH || in_st[d] == TALKS ||
	   (PLAIN & BIT(d))) -> in_st[d] = OUT
	:: else
	fi;
	if
	:: out_sid[d] == sid && out_st[d] >= INITIATED -> out_st[d] = OUT
	:: else
	fi
}

inline client_initiate(d, sid)
{
	if
	:: in_sid[d] == sid && in_st[d] == ANSWERED ->
		asked_init = asked_init & ~BIT(d);
		in_st[d] = TALKS;
		say(d, ACCEPT, sid)
	:: in_sid[d] == sid && in_st[d] != ANSWERED && in_st[d] != OUT
	:: (PLAIN & BIT(d)) && sid > seen[d] ->
		asked_init = asked_init & ~BIT(d);
		seen[d] = sid;
		client_rings(d, sid)
	:: else ->
		if
		:: in_sid[d] == sid && in_st[d] == TALKS
		:: else -> say(d, ERR_INIT, 0)
		fi
	fi
}

/* What a client does with a stanza; a propose is its own matter. */
inline client_gets(d, kind, sid)
{
	if
	:: kind == RETRACT || kind == RETRACT_STORED ->
		if
		:: in_sid[d] == sid && in_st[d] != TALKS -> in_st[d] = OUT
		:: else
		fi
	:: kind == CARBON ->
		if
		:: in_sid[d] == sid && in_st[d] == RINGS -> in_st[d] = OUT
		:: else
		fi
	:: kind == REJECT ->
		if
		:: out_sid[d] == sid && out_st[d] != TALKS -> out_st[d] = OUT
		:: else
		fi
	:: kind == PROCEED ->
		if
		:: out_sid[d] == sid && out_st[d] == PROPOSED ->
			out_st[d] = INITIATED;
			say(d, INITIATE, sid)
		:: else
		fi
	:: kind == INITIATE -> client_initiate(d, sid)
	:: kind == ACCEPT ->
		if
		:: out_sid[d] == sid && out_st[d] == INITIATED ->
			asked_accept = asked_accept & ~BIT(d);
			out_st[d] = TALKS
		:: out_sid[d] == sid && out_st[d] == TALKS
		:: else -> say(d, ERR_ACCEPT, 0)
		fi
	:: kind == PING ->
		if
		:: (out_sid[d] == sid && out_st[d] == TALKS) ||
		   (in_sid[d] == sid && in_st[d] == TALKS) ->
			asked_ping = asked_ping & ~BIT(d)
		:: else -> say(d, ERR_PING, 0)
		fi
	:: else -> client_ends(d, kind, sid)
	fi
}

/* --- properties ---------------------------------------------------------- */

#define EMPTY4(q) (empty(q[0]) && empty(q[1]) && empty(q[2]) && empty(q[3]))
#define ASKED (asked_init | asked_accept | asked_ping)
#define CALM (up && link && !dirty && empty(held_new) && empty(held_old) && \
	EMPTY4(to_server) && EMPTY4(to_device) && !ASKED && !verify)
/* Nothing is on its way and no timer of a call under way runs. */
#define QUIET (CALM && (cs == C_IDLE || cs == C_OPEN || cs == C_DONE || \
	cs == C_UP) && !away[0] && !away[1])
#define BUSY_IN(d) (!(excused & BIT(d)) && (in_st[d] == RINGS || \
	in_st[d] == ANSWERED))
#define BUSY_OUT(d) (!(excused & BIT(d)) && (out_st[d] == PROPOSED || \
	out_st[d] == INITIATED))
#define TALKING(d) (out_st[d] == TALKS || in_st[d] == TALKS)
/* I10: a device talks if and only if it is one of the two of a running call,
 * and then both do. */
#define IN_CALL(d) (cs == C_UP && (ldev[0] == (d) || ldev[1] == (d)))
#define HALF(d) (!(excused & BIT(d)) && TALKING(d) != IN_CALL(d))
#define BAD(d) (BUSY_IN(d) || BUSY_OUT(d) || HALF(d))
#define READS(u) (online & ~FULL & OF(u))  /* else it is kept for him */
#define MISSED_UNTOLD(u) (rang_once[u] && !explained[u] && !(got[u] & MISSED))

inline rest()
{
	assert(CALM);
	assert(cs == C_IDLE && !p.exists && !s.exists);
	assert(!out_st[0] && !out_st[2] && !in_st[0] && !in_st[1] &&
	       !in_st[2] && !in_st[3]);
	/* I08: no notice is lost, and whoever was rung in vain has one. */
	assert(!(owed[0] & ~got[0]) || !READS(0));
	assert(!(owed[1] & ~got[1]) || !READS(1));
	assert(!MISSED_UNTOLD(0) || !READS(0));
	assert(!MISSED_UNTOLD(1) || !READS(1))
}

/* --- moves --------------------------------------------------------------- */

/* What a device forgets. */
inline tidy_device(d)
{
	if
	:: in_st[d] == OUT -> in_sid[d] = 0
	:: else
	fi;
	if
	:: out_st[d] == OUT -> out_sid[d] = 0; yielded[d] = 0
	:: else
	fi
}

inline end_move()
{
	tidy_device(dv);
	dv = 0;
	sd = 0;
	kd = 0
}

/* The first guard of a move: a device that can make it. */
#define CHOOSE(CAN) \
	if \
	:: CAN(0) -> dv = 0 \
	:: CAN(1) -> dv = 1 \
	:: CAN(2) -> dv = 2 \
	:: CAN(3) -> dv = 3 \
	fi

inline dial(u)
{
	atomic {
		calls[u] && up && link && (online & BIT(2 * u)) &&
		out_st[2 * u] == OUT && in_st[2 * u] < ANSWERED ->
		dv = 2 * u;
		calls[u]--;
		if
		:: u == 0 -> sd = 2 * (calls_a - calls[0])
		:: u == 1 -> sd = 2 * (calls_b - calls[1])
		:: u == 1 -> sd = 2 * (calls_b - calls[1]) - 1
		:: u == 1 -> sd = 2 * (calls_b - calls[1]) + 1
		fi;
		d_step {
			out_sid[dv] = sd;
			yielded[dv] = 0;
			if
			:: PLAIN & BIT(dv) ->
				out_st[dv] = INITIATED;
				say(dv, INITIATE, sd)
			:: else ->
				out_st[dv] = PROPOSED;
				say(dv, PROPOSE, sd)
			fi;
			end_move()
		}
	}
}

#define IS_CALLED(d) (online & BIT(d)) && in_st[d] == RINGS

inline user_answers()
{
	atomic {
		CHOOSE(IS_CALLED);
		d_step {
			accepts = accepts | BIT(dv);
			carbon(dv, in_sid[dv]);
			if
			:: PLAIN & BIT(dv) ->
				in_st[dv] = TALKS;
				say(dv, ACCEPT, in_sid[dv])
			:: else ->
				in_st[dv] = ANSWERED;
				say(dv, PROCEED, in_sid[dv])
			fi;
			end_move()
		}
	}
}

#define MAY_DECLINE(d) declines && IS_CALLED(d)

inline user_declines()
{
	atomic {
		CHOOSE(MAY_DECLINE);
		declines--;
		if
		:: PLAIN & BIT(dv) -> kd = TERMINATE
		:: PLAIN & BIT(dv) -> kd = TERMINATE_BUSY
		:: !(PLAIN & BIT(dv)) -> kd = REJECT
		:: !(PLAIN & BIT(dv)) -> kd = REJECT_BUSY
		:: !(PLAIN & BIT(dv)) -> kd = REJECT_LATE
		fi;
		d_step {
			in_st[dv] = OUT;
			if
			:: kd == REJECT ->
				explained[USER(dv)] = 1;
				carbon(dv, in_sid[dv])
			:: else
			fi;
			say(dv, kd, in_sid[dv]);
			end_move()
		}
	}
}

/* Callers who take it back, answerers who think again. */
#define MAY_CANCEL(d) cancels && (out_st[d] == PROPOSED || \
	out_st[d] == INITIATED || in_st[d] == ANSWERED)

inline user_cancels()
{
	atomic {
		CHOOSE(MAY_CANCEL);
		d_step {
			cancels--;
			if
			:: out_st[dv] == PROPOSED ->
				out_st[dv] = OUT;
				say(dv, RETRACT, out_sid[dv])
			:: out_st[dv] == INITIATED ->
				out_st[dv] = OUT;
				say(dv, TERMINATE, out_sid[dv])
			:: else ->
				in_st[dv] = OUT;
				say(dv, REJECT, in_sid[dv])
			fi;
			end_move()
		}
	}
}

inline user_hangs_up()
{
	atomic {
		CHOOSE(TALKING);
		if
		:: kd = TERMINATE
		:: !(PLAIN & BIT(dv)) -> kd = FINISH
		fi;
		d_step {
			if
			:: out_st[dv] == TALKS ->
				out_st[dv] = OUT;
				say(dv, kd, out_sid[dv])
			:: else ->
				in_st[dv] = OUT;
				say(dv, kd, in_sid[dv])
			fi;
			end_move()
		}
	}
}

/* A device that lost a stanza ends what it does by itself. */
#define ON_ITS_OWN(d) (excused & BIT(d)) && (out_st[d] == PROPOSED || \
	out_st[d] == INITIATED || in_st[d] == RINGS || in_st[d] == ANSWERED)

inline own_timer()
{
	atomic {
		CHOOSE(ON_ITS_OWN);
		d_step {
			printf("device %d: gives up\n", dv);
			if
			:: out_st[dv] != TALKS -> out_st[dv] = OUT
			:: else
			fi;
			if
			:: in_st[dv] != TALKS -> in_st[dv] = OUT
			:: else
			fi;
			end_move()
		}
	}
}

/* One stanza comes, is lost, or comes and will come again. */
inline receive(queue)
{
	if
	:: queue ? kd, sd
	:: loss ->
		loss--;
		queue ? kd, sd;
		printf("lost: #%d %d of device %d\n",
		       kd, sd, dv);
		excused = excused | BIT(dv);
		kd = 0
	:: dup && len(queue) < QUEUE ->
		dup--;
		queue ? kd, sd;
		printf("twice: #%d %d of device %d\n",
		       kd, sd, dv);
		queue ! kd, sd
	fi
}

#define HEARD(d) up && link && (len(to_server[d]) > 0)

inline daemon_receives()
{
	atomic {
		CHOOSE(HEARD);
		receive(to_server[dv]);
		d_step {
			if
			:: kd ->
				printf("privatecalld < #%d %d of device %d\n",
				       kd, sd, dv);
				start_step();
				on_message(kd, dv, sd);
			:: else
			fi;
			end_move()
		}
	}
}

#define HAS_MAIL(d) (len(to_device[d]) > 0)

inline device_receives()
{
	atomic {
		CHOOSE(HAS_MAIL);
		receive(to_device[dv]);
		if
		:: d_step { kd == 0 -> end_move() }
		:: d_step {
			kd && kd != PROPOSE ->
			printf("device %d < #%d %d\n",
			       dv, kd, sd);
			client_gets(dv, kd, sd);
			end_move()
		}
		:: d_step { kd == PROPOSE && sd <= seen[dv] -> end_move() }
		:: d_step {
			kd == PROPOSE && sd > seen[dv] ->
			printf("device %d < #%d %d: rings\n",
			       dv, kd, sd);
			seen[dv] = sd;
			client_rings(dv, sd);
			end_move()
		}
		:: d_step {                    /* the client gives way itself */
			kd == PROPOSE && sd > seen[dv] &&
			out_st[dv] == PROPOSED && !yielded[dv] ->
			printf("device %d < #%d %d: yields\n",
			       dv, kd, sd);
			seen[dv] = sd;
			yielded[dv] = 1;
			out_st[dv] = OUT;
			explained[USER(dv)] = 1;
			say(dv, REJECT_TIE, sd);
			end_move()
		}
		fi
	}
}

/* Who has no say in the call: another device, or the caller for the callee
 * (A01, A09). Nothing changes. */
#define NO_SAY(d) evil && up && link && (online & BIT(d)) && LIVE && \
	!(d_in & BIT(d))

inline stranger_speaks()
{
	atomic {
		CHOOSE(NO_SAY);
		if
		:: kd = PROCEED
		:: kd = ACCEPT
		:: dv != ldev[USER(dv)] -> kd = RETRACT
		:: dv != ldev[USER(dv)] -> kd = REJECT
		:: dv != ldev[USER(dv)] -> kd = TERMINATE
		:: dv != ldev[USER(dv)] -> kd = FINISH
		fi;
		if
		:: sd = lsid[0]
		:: sd = lsid[1]
		fi;
		d_step {
			evil--;
			printf("stranger %d: #%d %d\n",
			       dv, kd, sd);
			n1 = cs;
			n2 = ls[0];
			n3 = ls[1];
			start_step();
			strange = 1;
			on_message(kd, dv, sd);
			end_move()
		}
	}
}

/* --- the daemon without a stanza, the store, faults ------------------------ */

#define DUE(s) up && cs == s
/* A timer of seconds: the store is slow for one at most (hold.c). */
#define LATE(s) DUE(s) && entered && (len(held_old) == 0 || !link)
#define STEP(guard, what, text) d_step { guard -> printf(text); \
	start_step(); what }

#define UNANSWERED_IQ(d) up && link && (ASKED & BIT(d)) && \
	len(to_device[d]) == 0 && len(to_server[d]) == 0 && \
	empty(held_new) && empty(held_old)

inline iq_times_out()
{
	atomic {
		CHOOSE(UNANSWERED_IQ);
		d_step {
			printf("privatecalld: no answer of device %d\n", dv);
			start_step();
			if
			:: asked_init & BIT(dv) ->
				asked_init = asked_init & ~BIT(dv);
				on_failed(dv, false)
			:: else ->
				asked_accept = asked_accept & ~BIT(dv);
				asked_ping = asked_ping & ~BIT(dv);
				on_failed(dv, true)
			fi;
			end_move()
		}
	}
}

#define MAY_GO(d) gones && (online & BIT(d))
#define MAY_COME(d) gones && up && link && (~online & BIT(d))

inline device_goes()
{
	atomic {
		CHOOSE(MAY_GO);
		d_step {
			printf("device %d: goes\n", dv);
			gones--;
			online = online & ~BIT(dv);
			out_st[dv] = OUT;
			in_st[dv] = OUT;
			do
			:: len(to_device[dv]) > 0 -> to_device[dv] ? t_kind, t_sid
			:: else -> break
			od;
			if
			:: up && link ->
				start_step();
				on_gone(dv);
			:: else
			fi;
			end_move()
		}
	}
}

inline device_comes()
{
	atomic {
		CHOOSE(MAY_COME);
		d_step {
			printf("device %d: comes\n", dv);
			gones--;
			online = online | BIT(dv);
			start_step();
			on_back(dv);
			end_move()
		}
	}
}

inline store_commits()
{
	d_step {
		up && dirty ->
		printf("store: commit\n");
		commit();
		if
		:: !crashes && link -> release()       /* its report at once */
		:: else
		fi
	}
}

inline flush_all()
{
	for (i_ : 0 .. DEVICES - 1) {
		do
		:: len(to_server[i_]) > 0 -> to_server[i_] ? t_kind, t_sid
		:: else -> break
		od
	};
	skip
}

/* Calls that nobody has stored: their devices are on their own. */
inline excuse_unstored()
{
	for (i_ : 0 .. DEVICES - 1) {
		if
		:: out_st[i_] != OUT && out_st[i_] != TALKS &&
		   !(s.exists && s.ldev[USER(i_)] == i_ &&
		   s.lsid[USER(i_)] == out_sid[i_]) ->
			excused = excused | BIT(i_)
		:: else
		fi
	}
}

/* A propose on its way when the link goes. */
inline excuse_unheard()
{
	for (i_ : 0 .. DEVICES - 1) {
		if
		:: len(to_server[i_]) > 0 && (out_st[i_] == PROPOSED ||
		   out_st[i_] == INITIATED) -> excused = excused | BIT(i_)
		:: else
		fi
	}
}

/* Headlines leave when their rows are stored, and come; only a crash or a cut
 * makes it matter when. */
inline notices_leave()
{
	d_step {
		up && link && ((outbox[0] && READS(0)) ||
		(outbox[1] && READS(1))) && (crashes || cuts || CALM) &&
		(broken == NOTICE_EARLY || (!(outbox[0] & ~s.owed[0]) &&
		!(outbox[1] & ~s.owed[1]))) ->
		for (i_ : 0 .. 1) {
			if
			:: READS(i_) && outbox[i_] ->
				printf("notice %d for user %d\n", outbox[i_],
				       i_);
				/* I08: not before it is stored. */
				assert(!(outbox[i_] & ~s.owed[i_]));
				sending[i_] = sending[i_] | outbox[i_];
				outbox[i_] = 0;
				got[i_] = got[i_] | sending[i_]
			:: else
			fi
		}
	}
}

/* The ping behind them is answered: they leave the outbox. */
inline notices_done()
{
	d_step {
		up && link && (sending[0] || sending[1]) ->
		sending[0] = 0;
		sending[1] = 0;
		p.owed[0] = outbox[0];
		p.owed[1] = outbox[1];
		dirty = 1;
		if
		:: !crashes && len(held_new) == 0 -> commit()
		:: else
		fi
	}
}

inline daemon_dies()
{
	d_step {
		crashes && up ->
		printf("privatecalld: crash\n");
		crashes--;
		excuse_unstored();
		excuse_unheard();
		crash();
		flush_all()
	}
}

inline daemon_starts()
{
	d_step {
		!up ->
		printf("privatecalld: start\n");
		restart();
		verify = 1;
		start_step();
		on_restored()
	}
}

inline link_breaks()
{
	d_step {
		cuts && up && link ->
		printf("link: lost\n");
		cuts--;
		link = 0;
		excuse_unheard();
		flush_all();
		outbox[0] = outbox[0] | sending[0];
		outbox[1] = outbox[1] | sending[1];
		sending[0] = 0;
		sending[1] = 0;
		asked_init = 0;
		asked_accept = 0;
		asked_ping = 0
	}
}

inline link_comes()
{
	d_step {
		up && !link ->
		printf("link: up\n");
		link = 1;
		verify = 1;
		release();
		start_step();
		on_linked()
	}
}

/* Presence after a break: devices of the call that are not there (calls.c,
 * calls_verify()). */
#define MISSING(u) (LIVE && restored[u] && ldev[u] != NOBODY && \
	!(online & BIT(ldev[u])) && !away[u])

inline verified()
{
	d_step {
		up && link && verify ->
		start_step();
		if
		:: MISSING(0) -> on_gone(ldev[0])
		:: !MISSING(0) && MISSING(1) -> on_gone(ldev[1])
		:: else -> verify = 0
		fi;
		skip
	}
}

inline switch_goes_off()
{
	d_step {
		offs && up ->
		printf("privatecalld: switch off\n");
		offs--;
		site = 0;
		start_step();
		on_switch_off();
		op = 1
	}
}

active proctype world()
{
	c_code {
		atexit(print_tables);
		calls_a = bound("CALLS_A", 1);
		calls_b = bound("CALLS_B", 0);
		PLAIN = bound("PLAIN", 0);
		FULL = bound("FULL", 0);
		FORBID = bound("FORBID", 0);
		broken = bound("BROKEN", 0);
		now.online = bound("ONLINE", 13);
		now.loss = bound("LOSS", 0);
		now.dup = bound("DUP", 0);
		now.crashes = bound("CRASH", 0);
		now.cuts = bound("CUT", 0);
		now.gones = bound("GONE", 0);
		now.offs = bound("OFF", 0);
		now.evil = bound("EVIL", 0);
		now.cancels = bound("CANCEL", 1);
		now.declines = bound("DECLINE", 1);
	};
	calls[0] = calls_a;
	calls[1] = calls_b;
	ldev[0] = NOBODY;
	ldev[1] = NOBODY;
	gen = 20;
	if
	:: allow[1] = ALLOWED
	:: FORBID -> allow[1] = FORBIDDEN
	:: FORBID -> allow[1] = BLOCKING
	fi;
	do
	:: atomic {
	if
	/* users and their devices */
	:: dial(0)
	:: dial(1)
	:: user_answers()
	:: user_declines()
	:: user_cancels()
	:: user_hangs_up()
	:: own_timer()
	:: device_receives()
	:: device_goes()
	:: device_comes()
	:: stranger_speaks()
	/* the daemon */
	:: daemon_receives()
	:: STEP(DUE(C_ASKING), call_on_facts(), "privatecalld: facts\n")
	:: STEP(DUE(C_ASKING), on_time(), "timer: no facts\n")
	:: STEP(DUE(C_REFUSING), on_time(), "timer: refused\n")
	:: STEP(LATE(C_RINGING) && away[caller], ends(CALLER_GONE, NOBODY),
		"timer: the caller is gone\n")
	:: STEP(LATE(C_RINGING), ends(UNANSWERED, NOBODY),
		"timer: unanswered\n")
	:: STEP(DUE(C_RINGING) && !rang, call_rings(), "timer: it rings\n")
	:: STEP(LATE(C_SETUP) && broken != SETUP_FOREVER, on_time(), "timer: setup ran out\n")
	:: STEP(LATE(C_UP) && (away[0] || away[1]), on_time(),
		"timer: a device is lost\n")
	:: STEP(LATE(C_ENDING), on_time(), "timer: finish\n")
	/* two hours, and the linger: no stanza is on its way so long */
	:: STEP((DUE(C_OPEN) || DUE(C_DONE)) && CALM, on_time(),
		"timer: over\n")
	:: iq_times_out()
	:: verified()
	:: switch_goes_off()
	:: notices_leave()
	:: notices_done()
	/* the store and the link */
	:: store_commits()
	:: d_step { up && link && nempty(held_old) -> release() }
	:: daemon_dies()
	:: daemon_starts()
	:: link_breaks()
	:: link_comes()
	/* never */
	:: d_step {
		QUIET && (BAD(0) || BAD(1) || BAD(2) || BAD(3)) ->
		assert(false)
	}
	:: timeout ->
		rest();
		goto over
	fi;
	/* what a step of the daemon decided, stored and sends */
	if
	:: steps ->
		d_step { end_step_1() };
		d_step { end_step_2() }
	:: else
	fi
	}
	od;
over:	skip
}
