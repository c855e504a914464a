/* daemon.pml: privatecalld as the model has it: the call of one pair, its two
 * legs, the queue of what waits for the store, the row, the start after a
 * crash. Each inline is the C function of that name; what a step sends is
 * collected and leaves by hold_send() when the step's row is known.
 */

/* --- the call and its legs ---------------------------------------------- */

byte cs;                       /* call_state */
bit caller;                    /* side */
bit rang, rung, glare_won;
bit answered;                  /* answered_wall: this round */
bit opened;                    /* first_answer_wall: the window is open */
bit entered;                   /* ... and that is stored */
byte cause;                    /* of REFUSING, and why it ended */
bit deaf;                      /* no ringable device: deaf_since */
byte ls[2];                    /* leg_state */
byte lsid[2], osid[2];         /* sid, old_sid; 0: none */
byte ldev[2];                  /* device, NOBODY */
bit jmi[2], restored[2], due[2], fin[2], away[2], has_offer[2];
/* Rung devices: one bit for each device of both users. */
byte d_in, d_full, d_done, d_gone, d_busy, d_init;
byte dsid[DEVICES];            /* 0: the leg's */
/* Our IQs whose answer is awaited: initiate, accept, ping; a bit a device. */
byte asked_init, asked_accept, asked_ping;
byte gen;                      /* of our sids: never repeats */

/* --- the store ---------------------------------------------------------- */

typedef row_t {
	bit exists;
	byte cs;
	bit caller, rung, answered, opened;
	byte ls[2], ldev[2], lsid[2];
	bit jmi[2], due[2];
	byte d_in, d_full, d_done, d_gone, d_init;
	byte dsid[DEVICES];
	byte owed[2];              /* outbox, NOTICE_* of each user */
};
row_t p;                       /* with all operations given to the store */
row_t s;                       /* committed */
bit dirty;                     /* they differ */
byte outbox[2];                /* notices not on their way */
byte sending[2];               /* on their way, the ping unanswered */

/* What waits: for a commit, and for its report or the link. The last: it is
 * taken back (1). */
chan held_new = [HELD] of { mtype, byte, byte, byte };
chan held_old = [HELD] of { mtype, byte, byte, byte };
/* What a step sends: kind, sid, device or user, class. */
chan stepped = [HELD] of { mtype, byte, byte, byte };

/* --- of one step, nothing between steps --------------------------------- */

hidden byte to_;               /* of a transition */
hidden byte end_cause, end_by; /* call_end() is due */
hidden byte end_finish;         /* ... by a JMI finish */
hidden byte withdraws, bounced, answers;
hidden byte flush, begin, begin_plain, begin_glare;
hidden byte begin_dev, begin_sid;
hidden byte saves, op;          /* CALL_DO_SAVE; any operation */
hidden byte strange, n1, n2, n3; /* a stranger spoke: states before */
hidden byte q_kind, t_kind, t_sid, t_to, t_class;
hidden byte t_flag, t_bare, t_open, t_found;
hidden byte i_, j_, n_, du, dd, ds;

inline call_go(to)
{
	to_ = to;
	assert(C_MAY(cs, to_));
	c_code { took_call[now.cs][to_] = 1; };
	cs = to_;
	entered = 0
}

inline leg_go(u, to)
{
	to_ = to;
	j_ = u;
	assert(L_MAY(ls[j_], to_));
	c_code { took_leg[now.ls[j_]][to_] = 1; };
	ls[j_] = to_;
}

#define LIVE (cs >= C_ASKING && cs <= C_UP)
#define EST(u) (ls[u] == L_PROCEEDED || ls[u] == L_OFFERED || \
	ls[u] == L_ANSWERED || ls[u] == L_INITIATED || ls[u] == L_ACTIVE)
#define RINGABLE(u) (d_in & ~d_done & ~d_gone & OF(u))
#define WANTS_OFFER(u) (d_in & PLAIN & ~d_done & ~d_init & OF(u))
#define SID(d) (dsid[d] -> dsid[d] : lsid[USER(d)])

/* --- leg_out.c ----------------------------------------------------------- */

inline emit(kind, sid, to, class)
{
	assert(nfull(stepped));
	stepped ! kind, sid, to, class;
}

inline leg_ended(u)
{
	if
	:: ls[u] == L_ENDED
	:: else ->
		if
		:: jmi[u] && ldev[u] != NOBODY && EST(u) -> due[u] = 1
		:: else
		fi;
		leg_go(u, L_ENDED)
	fi
}

inline stop_one(d)
{
	ds = SID(d);
	if
	:: !(PLAIN & BIT(d)) -> emit(RETRACT, ds, d, HOLD)
	:: PLAIN & d_init & BIT(d) -> emit(TERMINATE, ds, d, AFTER)
	:: else
	fi
}

inline leg_stop(u, how, but)
{
	t_bare = 0;
	for (i_ : 0 .. 1) {
		dd = 2 * (u) + i_;
		if
		:: !(d_in & BIT(dd))
		:: else ->
			if
			:: how == STOP_CANCEL && !(d_full & BIT(dd)) ->
				t_bare = 1
			:: else
			fi;
			if
			:: (d_done & BIT(dd)) || dd == but
			:: else ->
				d_done = d_done | BIT(dd);
				if
				:: (d_gone & BIT(dd)) ||
				   (how == STOP_CANCEL && !((d_full | PLAIN) &
				   BIT(dd)))
				:: else -> stop_one(dd)
				fi
			fi
		fi
	};
	if
	:: t_bare ->
		/* A stored one is the user's missed call (F21). */
		assert(!answered);
		/* X9: nobody missed a call that crossed. */
		assert(!glare_won && end_cause != GLARE);
		emit(RETRACT_STORED, lsid[u], BARE(u), HOLD)
	:: else
	fi
}

/* A ringing leg is stopped: end_callee(). */
inline leg_end(u)
{
	if
	:: ls[u] == L_PROPOSED || ls[u] == L_PROCEEDED ->
		emit(REJECT, lsid[u], ldev[u], HOLD);
		if
		:: ls[u] == L_PROCEEDED && restored[u] ->
			emit(TERMINATE, lsid[u], ldev[u], AFTER)
		:: else
		fi;
		leg_ended(u)
	:: ls[u] == L_ANSWERED ->
		emit(RETRACT, lsid[u], ldev[u], HOLD);
		if
		:: restored[u] -> emit(TERMINATE, lsid[u], ldev[u], AFTER)
		:: else
		fi;
		leg_ended(u)
	:: ls[u] == L_OFFERED || ls[u] == L_INITIATED || ls[u] == L_ACTIVE ->
		emit(TERMINATE, lsid[u], ldev[u], AFTER);
		leg_ended(u)
	:: else
	fi
}

inline leg_finish(u)
{
	if
	:: due[u] && !fin[u] && ldev[u] != NOBODY ->
		fin[u] = 1;
		emit(FINISH, lsid[u], ldev[u], HOLD)
	:: else
	fi
}

inline leg_proceed(u)
{
	if
	:: ls[u] == L_PROPOSED ->
		leg_go(u, L_PROCEEDED);
		emit(PROCEED, lsid[u], ldev[u], HOLD)
	:: else
	fi
}

inline leg_accept(u)
{
	if
	:: ls[u] == L_OFFERED || (restored[u] && ls[u] == L_PROCEEDED) ->
		leg_go(u, L_ACTIVE);
		asked_accept = asked_accept | BIT(ldev[u]);
		emit(ACCEPT, lsid[u], ldev[u], HOLD)
	:: else
	fi
}

inline initiate_to(d, sid)
{
	asked_init = asked_init | BIT(d);
	emit(INITIATE, sid, d, HOLD)
}

inline leg_offer(u)
{
	if
	:: ls[u] == L_ANSWERED ->
		leg_go(u, L_INITIATED);
		initiate_to(ldev[u], lsid[u])
	:: ls[u] == L_RINGING ->
		for (i_ : 0 .. 1) {
			dd = 2 * (u) + i_;
			if
			:: WANTS_OFFER(u) & BIT(dd) ->
				d_init = d_init | BIT(dd);
				ds = SID(dd);
				initiate_to(dd, ds)
			:: else
			fi
		}
	:: else
	fi
}

inline leg_ring(u, sid, targets)
{
	lsid[u] = sid;
	jmi[u] = 1;
	d_in = d_in | (targets);
	d_full = (d_full & ~OF(u)) | ((targets) & FULL);
	leg_go(u, L_RINGING);
	if
	:: (targets) & ~FULL -> emit(PROPOSE, lsid[u], BARE(u), HOLD)
	:: else
	fi;
	for (i_ : 0 .. 1) {
		dd = 2 * (u) + i_;
		if
		:: (targets) & FULL & ~PLAIN & BIT(dd) ->
			emit(PROPOSE, lsid[u], dd, HOLD)
		:: else
		fi
	}
}

inline clear_device(d)
{
	d_in = d_in & ~BIT(d);
	d_full = d_full & ~BIT(d);
	d_done = d_done & ~BIT(d);
	d_gone = d_gone & ~BIT(d);
	d_busy = d_busy & ~BIT(d);
	d_init = d_init & ~BIT(d);
	dsid[d] = 0
}

/* sid 0: the leg's */
inline leg_ring_more(u, d, sid)
{
	if
	:: ls[u] != L_RINGING
	:: ls[u] == L_RINGING && (d_in & BIT(d)) && !sid ->
		if
		:: d_done & BIT(d)
		:: else -> d_gone = d_gone & ~BIT(d)
		fi
	:: else ->
		n_ = (sid -> sid : dsid[d]);
		clear_device(d);
		dsid[d] = n_;
		d_in = d_in | BIT(d);
		d_full = d_full | BIT(d);
		if
		:: PLAIN & BIT(d)
		:: else ->
			ds = SID(d);
			emit(PROPOSE, ds, d, HOLD)
		fi
	fi
}

inline leg_repeat_stop(u)
{
	for (i_ : 0 .. 1) {
		dd = 2 * (u) + i_;
		if
		:: (d_in & ~d_gone & BIT(dd)) && dd != ldev[u] -> stop_one(dd)
		:: else
		fi
	};
	if
	:: (u) == caller && ldev[u] != NOBODY && !answered ->
		if
		:: jmi[u] -> emit(REJECT, lsid[u], ldev[u], HOLD)
		:: else -> emit(TERMINATE, lsid[u], ldev[u], AFTER)
		fi
	:: else
	fi
}

inline leg_reset(u)
{
	if
	:: ls[u] != L_IDLE -> leg_go(u, L_IDLE)
	:: else
	fi;
	clear_device(2 * (u));
	clear_device(2 * (u) + 1);
	asked_init = asked_init & ~OF(u);
	asked_accept = asked_accept & ~OF(u);
	asked_ping = asked_ping & ~OF(u);
	if
	:: lsid[u] -> osid[u] = lsid[u]; lsid[u] = 0
	:: else
	fi;
	ldev[u] = NOBODY;
	jmi[u] = 0;
	restored[u] = 0;
	due[u] = 0;
	fin[u] = 0;
	away[u] = 0;
	has_offer[u] = 0
}

/* --- end.c --------------------------------------------------------------- */

#define FINISH_AWAITED ((due[0] && !fin[0]) || (due[1] && !fin[1]))

inline settle()
{
	if
	:: cs == C_ENDING ->
		if
		:: opened -> call_go(C_OPEN)
		:: else -> call_go(C_DONE)
		fi;
		saves = 1
	:: else
	fi
}

inline notice(u, kind)
{
	outbox[u] = outbox[u] | kind;
	op = 1
}

/* The column "notice to callee" of product.md. */
inline notify_callee()
{
	du = !caller;
	if
	:: glare_won && !answered && broken != GLARE_MISSED
	:: else ->
		if
		:: !answered && rung && (cause == SWITCH_OFF ||
		   cause == RESTART || cause == CALLER_GONE) ->
			notice(du, MISSED)
		:: cause == CANCELLED && rung -> notice(du, MISSED)
		:: cause == UNANSWERED || cause == BUSY ||
		   cause == NOT_ACTIVE -> notice(du, MISSED)
		:: cause == DECLINED || cause == FAILED -> notice(du, OTHER)
		:: cause == ENDED && answered -> notice(du, DETAILS)
		:: else
		fi
	fi
}

inline notify_caller()
{
	if
	:: cause == CANCELLED || cause == GLARE || cause == REENTERED
	:: cause == ENDED && answered -> notice(caller, DETAILS)
	:: else -> notice(caller, OTHER)
	fi
}

inline end_caller()
{
	if
	:: end_by == caller -> leg_ended(caller)
	:: else -> leg_end(caller)
	fi
}

inline end_callee()
{
	du = !caller;
	if
	:: ls[du] == L_RINGING ->
		if
		:: end_by == du -> n_ = STOP_ELSEWHERE
		:: end_by != du && glare_won -> n_ = STOP_SILENT
		:: else -> n_ = STOP_CANCEL
		fi;
		leg_stop(du, n_, NOBODY);
		leg_ended(du)
	:: ls[du] == L_IDLE
	:: else ->
		if
		:: end_by == du -> leg_ended(du)
		:: else -> leg_end(du)
		fi
	fi
}

inline call_flush_finishes()
{
	leg_finish(0);
	leg_finish(1);
	settle()
}

inline call_end()
{
	assert(LIVE);
	cause = end_cause;
	call_go(C_ENDING);
	notify_caller();
	notify_callee();
	ghost_end();
	saves = 1;
	end_caller();
	end_callee();
	if
	:: end_finish ->
		du = !end_by;
		leg_finish(du)
	:: else
	fi;
	if
	:: !FINISH_AWAITED -> settle()
	:: else
	fi
}

/* --- ring.c, busy.c ------------------------------------------------------ */

inline ends(why, by)
{
	end_cause = why;
	end_by = by
}

/* What ends the round before leaves before the commit that replaces its row. */
inline release_old()
{
	n_ = len(stepped);
	do
	:: n_ == 0 || broken == OLD_HELD -> break
	:: else ->
		stepped ? t_kind, t_sid, t_to, t_class;
		if
		:: t_class == HOLD -> t_class = AFTER
		:: else
		fi;
		stepped ! t_kind, t_sid, t_to, t_class;
		n_--
	od
}

/* hold.c, hold_hurry(): nor does what earlier steps said to end it wait on. A
 * proceed would come behind its reject. */
inline hurry(queue)
{
	t_class = len(queue);
	do
	:: t_class == 0 -> break
	:: else ->
		queue ? t_kind, t_sid, t_to, t_flag;
		if
		:: up && link && broken != OLD_HELD && (t_kind == REJECT ||
		   t_kind == RETRACT || t_kind == RETRACT_STORED ||
		   t_kind == FINISH) -> deliver(t_kind, t_sid, t_to)
		:: up && link && broken != OLD_HELD && t_kind == PROCEED
		:: else -> queue ! t_kind, t_sid, t_to, t_flag
		fi;
		t_class--
	od
}

inline call_begin()
{
	release_old();
	hurry(held_old);
	hurry(held_new);
	du = USER(begin_dev);
	if
	:: cs == C_OPEN
	:: else ->                     /* a new identity: the old row goes */
		opened = 0;
		saves = 0;
		op = op || p.exists;
		p.exists = 0
	fi;
	caller = du;
	rang = 0;
	rung = 0;
	glare_won = begin_glare;
	answered = 0;
	deaf = 0;
	cause = NONE;
	leg_reset(0);
	leg_reset(1);
	lsid[du] = begin_sid;
	ldev[du] = begin_dev;
	if
	:: begin_plain -> has_offer[du] = 1; leg_go(du, L_OFFERED)
	:: else -> jmi[du] = 1; leg_go(du, L_PROPOSED)
	fi;
	call_go(C_ASKING)
}

inline turn_away(kind, d, sid)
{
	if
	:: kind == INITIATE -> emit(FAULT, sid, d, FREE)
	:: else -> emit(REJECT, sid, d, HOLD)
	fi
}

/* The legs of an attempt that gives way are ended by withdraw(). */
inline give_way(why)
{
	withdraws = 1;
	ends(why, NOBODY);
	flush = 1;
	begin = 1
}

/* What give_way() and on_blocked() do to the legs. */
inline withdraw()
{
	du = !caller;
	if
	:: bounced
	:: else -> leg_end(caller)
	fi;
	n_ = (broken == GLARE_MISSED -> STOP_CANCEL : STOP_SILENT);
	leg_stop(du, n_, NOBODY);
	leg_ended(du);
	if
	:: bounced -> call_go(C_REFUSING)
	:: else
	fi
}

#define NEW_WINS(d, sid) (sid < lsid[caller] || \
	(sid == lsid[caller] && USER(d) < caller))

/* call_on_second(): t_open: it is none for the leg. */
inline call_on_second(kind, d, sid)
{
	du = USER(d);
	t_open = 1;
	begin_dev = d;
	begin_sid = sid;
	begin_plain = (kind == INITIATE);
	begin_glare = 0;
	if
	:: cs == C_SETUP && kind == INITIATE && d == ldev[du] &&
	   sid == lsid[du] -> t_open = 0
	:: else ->
		if
		:: sid == osid[du] || sid == lsid[du] ->
			if
			:: ls[du] == L_PROCEEDED ||
			   (ls[du] == L_ENDED && kind == INITIATE) ->
				t_open = 0
			:: else ->
				if
				:: !LIVE -> turn_away(kind, d, sid)
				:: LIVE && kind == INITIATE -> t_open = 0
				:: else
				fi
			fi
		:: else ->
			if
			:: cs == C_REFUSING ->
				ends(cause, NOBODY);
				flush = 1;
				begin = 1
			:: cs == C_ASKING || cs == C_RINGING ->
				if
				:: du != caller && !NEW_WINS(d, sid) ->
					glare_won = 1;
					turn_away(kind, d, sid)
				:: du != caller && NEW_WINS(d, sid) ->
					begin_glare = 1;
					ghost_glare = 1;
					give_way(GLARE)
				:: else -> give_way(REENTERED)
				fi
			:: cs == C_SETUP || cs == C_UP ->
				ends(REENTERED, NOBODY);
				flush = 1;
				begin = 1
			:: cs == C_ENDING -> flush = 1; begin = 1
			:: else -> begin = 1
			fi
		fi
	fi
}

inline call_want_offer()
{
	if
	:: rang && WANTS_OFFER(!caller) ->
		if
		:: has_offer[caller] ->
			du = !caller;
			leg_offer(du);
			saves = saves || broken != OFFER_UNSAVED
		:: !has_offer[caller] && ls[caller] == L_PROPOSED ->
			leg_proceed(caller);
			saves = 1
		:: else
		fi
	:: else
	fi
}

inline call_rings()
{
	if
	:: rang
	:: else ->
		rang = 1;
		call_want_offer()
	fi
}

inline call_on_facts()
{
	du = !caller;
	if
	:: !site ->
		ends(SWITCH_OFF, NOBODY)
	:: site && ((allow[du] == FORBIDDEN && broken != NO_VERDICT) || !(online & OF(du))) ->
		cause = NOT_ACTIVE;
		call_go(C_REFUSING)
	:: else ->
		rung = 1;
		gen++;
		leg_ring(du, gen, online & OF(du));
		call_go(C_RINGING);
		saves = (broken != RING_UNSAVED)
	fi
}

inline call_on_device(d)
{
	if
	:: cs == C_RINGING && USER(d) == !caller ->
		du = !caller;
		leg_ring_more(du, d, 0);
		deaf = 0;
		saves = 1;
		call_want_offer()
	:: else
	fi
}

/* --- answer.c ------------------------------------------------------------ */

inline go_up()
{
	leg_accept(caller);
	call_go(C_UP);
	saves = 1
}

/* answers: 1 a proceed, 2 a session-accept */
inline call_on_answered()
{
	assert(cs == C_RINGING);
	ghost_answer();
	answered = 1;
	opened = 1;
	call_go(C_SETUP);
	saves = 1;
	leg_proceed(caller);
	if
	:: answers == 2 -> go_up()
	:: answers == 1 && has_offer[caller] ->
		du = !caller;
		leg_offer(du)
	:: else
	fi;
	du = !caller;
	n_ = (broken == STORED_STOP -> STOP_CANCEL : STOP_ELSEWHERE);
	if
	:: broken == NO_STOP
	:: else -> leg_stop(du, n_, ldev[du])
	fi
}

/* --- leg_in.c ------------------------------------------------------------ */

inline device_out(d, busy)
{
	d_done = d_done | BIT(d);
	if
	:: busy -> d_busy = d_busy | BIT(d)
	:: else
	fi;
	if
	:: RINGABLE(USER(d))
	:: else ->
		if
		:: (d_in & d_done & OF(USER(d)) & ~d_busy) ->
			ends(UNANSWERED, NOBODY)
		:: else -> ends(BUSY, USER(d))
		fi
	fi
}

inline callee_rejects(kind, d)
{
	if
	:: kind == REJECT_BUSY -> device_out(d, 1)
	:: kind == REJECT_TIE && dsid[d] -> device_out(d, 0)
	:: kind == REJECT_TIE && !dsid[d] ->
		d_done = d_done | BIT(d);
		if
		:: glare_won ->
			gen++;
			leg_ring_more(USER(d), d, gen);
			saves = saves || broken != RERING_UNSAVED
		:: !glare_won && !RINGABLE(USER(d)) ->
			ends(UNANSWERED, NOBODY)
		:: else
		fi
	:: kind == REJECT_LATE ->
		d_done = d_done | BIT(d);
		ends(UNANSWERED, NOBODY)
	:: else ->
		d_done = d_done | BIT(d);
		ends(DECLINED, USER(d))
	fi
}

#define IS_RUNG(d, sid) ((d_in & BIT(d)) && !(PLAIN & BIT(d)) && \
	(sid == SID(d) || broken == NO_SID_CHECK))

/* The leg goes on by the id the device was rung by; the others keep theirs. */
inline take_sid(d)
{
	if
	:: dsid[d] ->
		if
		:: dsid[(d) ^ 1] == 0 && (d_in & BIT((d) ^ 1)) &&
		   broken != SID_OF_OTHERS -> dsid[(d) ^ 1] = lsid[du]
		:: else
		fi;
		lsid[du] = dsid[d]
	:: else
	fi
}

inline ringing_jmi(kind, d, sid)
{
	if
	:: IS_RUNG(d, sid) && !(d_done & BIT(d)) && kind == PROCEED ->
		take_sid(d);
		ldev[du] = d;
		d_done = d_done | BIT(d);
		leg_go(du, L_ANSWERED);
		answers = 1
	:: IS_RUNG(d, sid) && !(d_done & BIT(d)) &&
	   (kind == REJECT || kind == REJECT_BUSY || kind == REJECT_TIE ||
	   kind == REJECT_LATE) -> callee_rejects(kind, d)
	:: else
	fi
}

inline cancelled_or_hung(d)
{
	/* on_cancelled(), on_hangup(): who says so is in the call */
	if
	:: cs == C_SETUP || cs == C_UP -> ends(ENDED, USER(d))
	:: else -> ends(CANCELLED, USER(d))
	fi
}

#define SID_KNOWN(u, sid) (sid && (broken == NO_SID_CHECK || \
	sid == lsid[u] || sid == dsid[2 * (u)] || sid == dsid[2 * (u) + 1]))

#define FROM_DEVICE(d) (d == ldev[USER(d)] || broken == NO_FROM_CHECK)

inline step_jmi(kind, d, sid)
{
	du = USER(d);
	if
	:: !SID_KNOWN(du, sid)
	:: SID_KNOWN(du, sid) && ls[du] == L_RINGING ->
		ringing_jmi(kind, d, sid)
	:: SID_KNOWN(du, sid) && ls[du] != L_RINGING && FROM_DEVICE(d) ->
		if
		:: kind == FINISH && ls[du] == L_ENDED ->
			if
			:: cs == C_ENDING ->
				dd = !du;
				leg_finish(dd);
				if
				:: !FINISH_AWAITED -> settle()
				:: else
				fi
			:: else
			fi
		:: kind == FINISH && ls[du] != L_ENDED ->
			end_finish = 1;
			cancelled_or_hung(d)
		:: (kind == RETRACT || kind == REJECT) &&
		   ls[du] != L_ACTIVE && ls[du] != L_ENDED ->
			cancelled_or_hung(d)
		:: broken == CALLER_ANSWERS && kind == PROCEED &&
		   du == caller && cs == C_RINGING ->
			du = !caller;
			ldev[du] = 2 * du;
			leg_go(du, L_ANSWERED);
			answers = 1
		:: else
		fi
	:: else
	fi
}

inline ringing_jingle(kind, d, sid)
{
	if
	:: (d_in & d_init & ~d_done & BIT(d)) && sid == SID(d) ->
		if
		:: kind == ACCEPT ->
			take_sid(d);
			ldev[du] = d;
			jmi[du] = 0;
			d_done = d_done | BIT(d);
			leg_go(du, L_ACTIVE);
			answers = 2
		:: kind == TERMINATE ->
			d_done = d_done | BIT(d);
			ends(DECLINED, du)
		:: kind == TERMINATE_BUSY -> device_out(d, 1)
		:: else -> emit(FAULT, sid, d, FREE)
		fi
	:: else ->
		if
		:: kind == ACCEPT || kind == INITIATE ->
			emit(FAULT, sid, d, FREE)
		:: else
		fi
	fi
}

inline on_initiate(d, sid)
{
	if
	:: ls[du] == L_PROCEEDED ->
		leg_go(du, L_OFFERED);
		if
		:: cs == C_SETUP ->
			du = !caller;
			leg_offer(du);
			saves = 1
		:: cs == C_RINGING ->
			has_offer[du] = 1;
			call_want_offer();
			saves = 1
		:: else
		fi
	:: ls[du] == L_OFFERED || ls[du] == L_ACTIVE   /* conflict */
	:: else -> emit(FAULT, sid, d, FREE)
	fi
}

inline step_jingle(kind, d, sid)
{
	du = USER(d);
	if
	:: ls[du] == L_RINGING -> ringing_jingle(kind, d, sid)
	:: ls[du] != L_RINGING && (!FROM_DEVICE(d) || sid != lsid[du] ||
	   ls[du] == L_IDLE) ->
		if
		:: kind == ACCEPT || kind == INITIATE ->
			emit(FAULT, sid, d, FREE)
		:: else
		fi
	:: else ->
		if
		:: ls[du] == L_ENDED ->
			if
			:: kind == INITIATE && du == caller ->
				emit(TERMINATE, sid, d, AFTER)
			:: kind == ACCEPT -> emit(FAULT, sid, d, FREE)
			:: else
			fi
		:: ls[du] != L_ENDED && (kind == TERMINATE ||
		   kind == TERMINATE_BUSY) -> cancelled_or_hung(d)
		:: ls[du] != L_ENDED && kind == INITIATE && du == caller ->
			on_initiate(d, sid)
		:: ls[du] != L_ENDED && kind == ACCEPT && du != caller ->
			if
			:: ls[du] == L_INITIATED ||
			   (restored[du] && ls[du] == L_ANSWERED) ->
				leg_go(du, L_ACTIVE);
				assert(cs == C_SETUP);
				go_up()
			:: ls[du] == L_ACTIVE         /* said twice */
			:: else -> emit(FAULT, sid, d, FREE)
			fi
		:: else
		fi
	fi
}

inline lost()
{
	if
	:: cs == C_RINGING -> ends(CALLER_GONE, NOBODY)
	:: cs == C_SETUP -> ends(FAILED, NOBODY)
	:: else -> ends(ENDED, NOBODY)
	fi
}

/* An error to one of our IQs, or none came (leg_in.c, failed()). `other`: the
 * question was no initiate. */
inline on_failed(d, other)
{
	du = USER(d);
	if
	:: ls[du] == L_RINGING ->
		if
		:: (d_in & ~d_done & BIT(d)) && !(other) -> device_out(d, 0)
		:: else
		fi
	:: ls[du] != L_RINGING && ls[du] != L_ENDED && ls[du] != L_IDLE &&
	   d == ldev[du] -> lost()
	:: else
	fi
}

inline on_bounce(d)
{
	du = USER(d);
	if
	:: cs == C_RINGING && ls[du] == L_RINGING ->
		cause = BLOCKED;
		withdraws = 1;
		bounced = 1
	:: else
	fi
}

inline on_message(kind, d, sid)
{
	/* Who speaks is there. (What is under way when a device goes comes
	 * before the server's word that it has gone.) */
	if
	:: kind == BOUNCE || kind == ERR_INIT || kind == ERR_ACCEPT ||
	   kind == ERR_PING || ldev[USER(d)] != d || !(online & BIT(d))
	:: else -> away[USER(d)] = 0
	fi;
	if
	:: kind == PROPOSE || kind == INITIATE ->
		call_on_second(kind, d, sid)
	:: else -> t_open = 0
	fi;
	if
	:: t_open
	:: !t_open && (kind == INITIATE || kind == ACCEPT ||
	   kind == TERMINATE || kind == TERMINATE_BUSY) ->
		step_jingle(kind, d, sid)
	:: kind == BOUNCE -> on_bounce(d)
	:: kind == ERR_INIT ->
		if
		:: asked_init & BIT(d) ->
			asked_init = asked_init & ~BIT(d);
			on_failed(d, false)
		:: else
		fi
	:: kind == ERR_ACCEPT || kind == ERR_PING ->
		if
		:: (asked_accept | asked_ping) & BIT(d) ->
			asked_accept = asked_accept & ~BIT(d);
			asked_ping = asked_ping & ~BIT(d);
			on_failed(d, true)
		:: else
		fi
	:: else -> step_jmi(kind, d, sid)
	fi;
	if
	:: answers -> call_on_answered()
	:: else
	fi
}

/* --- call.c: presence, the switch, time ---------------------------------- */

inline on_gone(d)
{
	du = USER(d);
	if
	:: LIVE ->
		if
		:: d_in & BIT(d) -> d_gone = d_gone | BIT(d)
		:: else
		fi;
		if
		:: ldev[du] == d -> away[du] = 1
		:: else
		fi;
		if
		:: cs == C_RINGING && !RINGABLE(!caller) -> deaf = 1
		:: else
		fi
	:: else
	fi
}

inline on_back(d)
{
	du = USER(d);
	if
	:: LIVE ->
		d_gone = d_gone & ~BIT(d);
		if
		:: ldev[du] == d -> away[du] = 0
		:: else
		fi;
		if
		:: cs == C_RINGING && RINGABLE(!caller) -> deaf = 0
		:: else
		fi;
		call_on_device(d)
	:: else
	fi
}

inline on_switch_off()
{
	if
	:: broken == SWITCH_DEAF
	:: cs == C_REFUSING -> ends(cause, NOBODY)
	:: cs == C_ASKING || cs == C_RINGING -> ends(SWITCH_OFF, NOBODY)
	:: else
	fi
}

/* --- one step: what was decided, stored, sent ---------------------------- */

inline start_step()
{
	steps = 1;
	end_cause = NONE;
	end_by = NOBODY;
	end_finish = 0;
	withdraws = 0;
	bounced = 0;
	answers = 0;
	flush = 0;
	begin = 0;
	saves = 0;
	op = 0
}

inline save_leg(u)
{
	p.ls[u] = ls[u];
	p.ldev[u] = ldev[u];
	p.lsid[u] = lsid[u];
	p.jmi[u] = jmi[u];
	p.due[u] = due[u] && !fin[u]
}

inline save_all()
{
	p.cs = cs;
	p.caller = caller;
	p.rung = rung;
	p.answered = answered;
	p.opened = opened;
	save_leg(0);
	save_leg(1);
	p.d_in = d_in;
	p.d_full = d_full;
	p.d_done = d_done;
	p.d_gone = d_gone;
	p.d_init = d_init;
	for (i_ : 0 .. DEVICES - 1) {
		p.dsid[i_] = dsid[i_]
	}
}

inline save()
{
	p.exists = 1;
	if
	:: crashes -> save_all()
	:: else                /* nobody will read it */
	fi
}

inline copy_row(to, from)
{
	to.exists = from.exists;
	to.cs = from.cs;
	to.caller = from.caller;
	to.rung = from.rung;
	to.answered = from.answered;
	to.opened = from.opened;
	for (i_ : 0 .. 1) {
		to.ls[i_] = from.ls[i_];
		to.ldev[i_] = from.ldev[i_];
		to.lsid[i_] = from.lsid[i_];
		to.jmi[i_] = from.jmi[i_];
		to.due[i_] = from.due[i_];
		to.owed[i_] = from.owed[i_]
	};
	to.d_in = from.d_in;
	to.d_full = from.d_full;
	to.d_done = from.d_done;
	to.d_gone = from.d_gone;
	to.d_init = from.d_init;
	for (i_ : 0 .. DEVICES - 1) {
		to.dsid[i_] = from.dsid[i_]
	}
}

/* Nothing of a deleted row is told apart. */
inline empty_row(r)
{
	r.cs = 0; r.caller = 0; r.rung = 0; r.answered = 0; r.opened = 0;
	for (i_ : 0 .. 1) {
		r.ls[i_] = 0; r.ldev[i_] = 0; r.lsid[i_] = 0; r.jmi[i_] = 0;
		r.due[i_] = 0
	};
	r.d_in = 0; r.d_full = 0; r.d_done = 0; r.d_gone = 0; r.d_init = 0;
	for (i_ : 0 .. DEVICES - 1) {
		r.dsid[i_] = 0
	}
}

/* hold.c, drop_session(): what waits of the session or dialogue stays back.
 * t_found: the device never heard of it. */
inline drop_from(queue, sid, to)
{
	n_ = len(queue);
	do
	:: n_ == 0 -> break
	:: else ->
		queue ? q_kind, ds, dd, t_flag;
		if
		:: ds == sid && dd == to && (broken == ENDS_DROPPED ||
		   (q_kind != REJECT && q_kind != RETRACT &&
		   q_kind != FINISH)) ->
			if
			:: q_kind == INITIATE -> t_found = 1
			:: else
			fi
		:: else -> queue ! q_kind, ds, dd, t_flag
		fi;
		n_--
	od
}

/* hold.c, take_back(): a ringing ends whose propose waits: neither is sent. */
inline take_back_in(queue, sid, to)
{
	n_ = len(queue);
	do
	:: n_ == 0 -> break
	:: else ->
		queue ? q_kind, ds, dd, t_flag;
		if
		:: q_kind == PROPOSE && ds == sid && (dd == to ||
		   (to < DEVICES && dd == BARE(USER(to)))) ->
			t_flag = t_flag | 1;
			t_found = 1
		:: else
		fi;
		queue ! q_kind, ds, dd, t_flag;
		n_--
	od
}

/* One stanza of the step: to the server, or into a queue. */
inline hold_send(kind, sid, to, class)
{
	t_found = 0;
	t_open = 0;
	if
	:: kind == TERMINATE ->
		drop_from(held_old, sid, to);
		drop_from(held_new, sid, to)
	:: (kind == REJECT || kind == FINISH) && class == AFTER ->
		drop_from(held_old, sid, to);
		drop_from(held_new, sid, to);
		t_found = 0
	:: kind == RETRACT || kind == RETRACT_STORED ->
		take_back_in(held_old, sid, to);
		take_back_in(held_new, sid, to)
	:: else
	fi;
	if
	:: t_found && kind != TERMINATE
	:: t_found && kind == TERMINATE ->
		asked_init = asked_init & ~BIT(to)
	:: !t_found && class != HOLD ->
		if
		:: up && link -> deliver(kind, sid, to)
		:: (!up || !link) && class != FREE ->
			assert(nfull(held_old));
			held_old ! kind, sid, to, 0
		:: else
		fi
	:: else ->
		if
		:: broken == SEND_BEFORE_COMMIT -> deliver(kind, sid, to)
		:: broken != SEND_BEFORE_COMMIT && dirty ->
			assert(nfull(held_new));
			held_new ! kind, sid, to, 0
		:: broken != SEND_BEFORE_COMMIT && !dirty && up && link &&
		   len(held_old) == 0 -> deliver(kind, sid, to)
		:: else ->
			assert(nfull(held_old));
			held_old ! kind, sid, to, 0
		fi
	fi
}

/* call_check() */
inline call_check()
{
	du = !caller;
	assert(!(cs == C_ASKING || cs == C_REFUSING) ||
	       ((ls[caller] == L_PROPOSED || ls[caller] == L_OFFERED ||
	       ls[caller] == L_PROCEEDED) &&
	       (ls[du] == L_IDLE || ls[du] == L_ENDED)));
	assert(cs != C_RINGING || (ls[du] == L_RINGING &&
	       (ls[caller] == L_PROPOSED || ls[caller] == L_PROCEEDED ||
	       ls[caller] == L_OFFERED)));
	assert(cs != C_SETUP || ((ls[du] == L_ANSWERED ||
	       ls[du] == L_INITIATED) && (ls[caller] == L_PROCEEDED ||
	       ls[caller] == L_OFFERED)));
	assert(cs != C_UP || (ls[0] == L_ACTIVE && ls[1] == L_ACTIVE));
	assert(!(cs == C_ENDING || cs == C_OPEN) ||
	       ((ls[0] == L_ENDED || ls[0] == L_IDLE) &&
	       (ls[1] == L_ENDED || ls[1] == L_IDLE)))
}

/* What an ended call needs no more, unless a row brings it back. */
inline tidy()
{
	if
	:: !crashes && (cs == C_OPEN || cs == C_DONE) ->
		for (i_ : 0 .. DEVICES - 1) {
			clear_device(i_)
		};
		for (i_ : 0 .. 1) {
			jmi[i_] = 0; restored[i_] = 0; due[i_] = 0;
			fin[i_] = 0; away[i_] = 0; has_offer[i_] = 0
		};
		rang = 0; rung = 0; glare_won = 0; answered = 0; deaf = 0;
		cause = NONE;
		asked_init = 0; asked_accept = 0; asked_ping = 0
	:: else
	fi
}

inline end_step_1()
{
	if
	:: withdraws -> withdraw()
	:: else
	fi;
	if
	:: end_cause != NONE -> call_end()
	:: else
	fi
}

inline end_step_2()
{
	if
	:: flush -> call_flush_finishes()
	:: else
	fi;
	if
	:: begin -> call_begin()
	:: else
	fi;
	call_check();
	assert(site || cs != C_RINGING);       /* I02 */
	if
	:: saves -> save(); op = 1
	:: !saves && !p.exists && op -> empty_row(p)
	:: else
	fi;
	if
	:: op ->
		if
		:: broken == NOTICE_LATER && cs == C_DONE
		:: else ->
			p.owed[0] = outbox[0] | sending[0];
			p.owed[1] = outbox[1] | sending[1]
		fi;
		dirty = 1
	:: else
	fi;
	do
	:: len(stepped) == 0 -> break
	:: else ->
		stepped ? t_kind, t_sid, t_to, t_class;
		hold_send(t_kind, t_sid, t_to, t_class)
	od;
	if
	:: strange -> assert(cs == n1 && ls[0] == n2 && ls[1] == n3)
	:: else
	fi;
	strange = 0;
	tidy();
	steps = 0
}

/* The call is freed: nothing of it is known any more. */
inline forget()
{
	ls[0] = L_IDLE; ls[1] = L_IDLE;
	leg_reset(0);
	leg_reset(1);
	cs = C_IDLE;
	osid[0] = 0; osid[1] = 0;
	caller = 0; rang = 0; rung = 0; glare_won = 0; answered = 0;
	opened = 0; cause = NONE; deaf = 0; entered = 0
}

inline on_time()
{
	if
	:: cs == C_ASKING ->
		cause = NOT_ACTIVE;
		call_go(C_REFUSING)
	:: cs == C_REFUSING -> ends(cause, NOBODY)
	:: cs == C_SETUP -> ends(FAILED, NOBODY)
	:: cs == C_UP -> ends(ENDED, NOBODY)
	:: cs == C_ENDING -> flush = 1
	:: cs == C_OPEN ->
		call_go(C_DONE);
		op = p.exists;
		p.exists = 0
	:: else ->                     /* C_DONE: the linger is over */
		op = p.exists;
		p.exists = 0;
		forget()
	fi
}

/* --- commit, crash, restart ---------------------------------------------- */

inline commit()
{
	copy_row(s, p);
	entered = 1;
	owed[0] = owed[0] | s.owed[0];
	owed[1] = owed[1] | s.owed[1];
	dirty = 0;
	do
	:: len(held_new) == 0 -> break
	:: else ->
		held_new ? t_kind, t_sid, t_to, t_flag;
		assert(nfull(held_old));
		held_old ! t_kind, t_sid, t_to, t_flag
	od;
	skip
}

inline release()
{
	do
	:: len(held_old) == 0 -> break
	:: else ->
		held_old ? t_kind, t_sid, t_to, t_flag;
		if
		:: t_flag & 1
		:: else -> deliver(t_kind, t_sid, t_to)
		fi
	od;
	skip
}

/* A stanza whose batch was stored and which had not left is repeated by the
 * start, from the row; not so a finish. A known gap of some milliseconds
 * (doc/model.md): its device is on its own. */
inline excuse_window()
{
	if
	:: t_kind == FINISH ->
		excused = excused | (t_to >= DEVICES -> OF(t_to - DEVICES) :
				     BIT(t_to))
	:: else
	fi
}

inline crash()
{
	do
	:: len(held_old) > 0 ->
		held_old ? t_kind, t_sid, t_to, t_flag;
		excuse_window()
	:: len(held_new) > 0 -> held_new ? t_kind, t_sid, t_to, t_flag
	:: else -> break
	od;
	dirty = 0;
	copy_row(p, s);
	for (i_ : 0 .. 1) {
		ls[i_] = L_IDLE;
		outbox[i_] = 0;
		sending[i_] = 0
	};
	forget();
	up = 0
}

inline load_leg(u)
{
	ls[u] = s.ls[u];
	ldev[u] = s.ldev[u];
	lsid[u] = s.lsid[u];
	jmi[u] = s.jmi[u];
	due[u] = s.due[u];
	restored[u] = 1
}

/* recover.c, and call_on_restored() when the link is up. */
inline restart()
{
	outbox[0] = s.owed[0];
	outbox[1] = s.owed[1];
	if
	:: s.exists ->
		cs = s.cs;
		caller = s.caller;
		rung = s.rung;
		answered = s.answered;
		opened = s.opened;
		load_leg(0);
		load_leg(1);
		d_in = s.d_in;
		d_full = s.d_full;
		d_done = s.d_done;
		d_gone = s.d_gone;
		d_init = s.d_init;
		for (i_ : 0 .. DEVICES - 1) {
			dsid[i_] = s.dsid[i_]
		};
		entered = 1;
		/* The legs of a row always fit its call (recover.c, fits()). */
		call_check()
	:: else
	fi;
	if
	:: !crashes ->
		t_flag = s.exists;
		empty_row(p);
		empty_row(s);
		p.exists = t_flag;
		s.exists = t_flag
	:: else
	fi;
	up = 1
}

/* What ended a ringing may not have left. The daemon is back soon. */
inline repeat_stops()
{
	if
	:: broken != NO_REPEAT && !(broken == NO_REPEAT_ANSWERED &&
	   answered) ->
		leg_repeat_stop(0);
		leg_repeat_stop(1)
	:: else
	fi
}

/* ask_both(): somebody may have hung up while we could not be told. */
inline ask_both()
{
	if
	:: broken == NO_PING
	:: else ->
		for (i_ : 0 .. 1) {
			asked_ping = asked_ping | BIT(ldev[i_]);
			emit(PING, lsid[i_], ldev[i_], FREE)
		}
	fi
}

/* call_on_linked(): the link is up again. */
inline on_linked()
{
	if
	:: cs == C_UP -> ask_both()
	:: else
	fi
}

inline on_restored()
{
	if
	:: cs == C_IDLE
	:: cs == C_SETUP -> repeat_stops()
	:: cs == C_ASKING || cs == C_REFUSING || cs == C_RINGING ->
		ends(RESTART, NOBODY)
	:: cs == C_UP && broken == NO_PING
	:: cs == C_UP && broken != NO_PING ->
		ask_both();
		repeat_stops()
	:: else ->
		repeat_stops();
		flush = 1
	fi;
	skip
}
