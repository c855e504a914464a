-- mod_privatecall.lua: private calls between the users of this server are
-- decided by an external component (privatecalld): this module hands it their
-- call stanzas, and injects those that it sends in return.
--
-- doc/protocol.md is the contract; the words of that page are used here. The
-- module knows no rules of calls but two: the switch, and what holds while the
-- component is down.
--
-- Options, of the VirtualHost:
--   privatecall_component      "calls.<host>"
--   private_calls              true; false: nobody can call, up or down
--   privatecall_when_down      "refuse", or "native": as without this module
--   privatecall_remote_users   false
--   privatecall_pair_lifetime  7200 seconds

local st = require "util.stanza";
local jid = require "util.jid";
local new_id = require "util.id".medium;
local now = require "util.time".now;
local new_recent = module:require "recent";
local add_setup = module:require "setup";
local refusals = module:require "refusals";
local stanzas = module:require "stanzas";
local is_jmi_ns, is_jmi = stanzas.is_jmi_ns, stanzas.is_jmi;
local too_deep, may_be_call = stanzas.too_deep, stanzas.may_be_call;
local has_rtp, has_other = stanzas.has_rtp, stanzas.has_other;
local jmi_of, has_invite = stanzas.jmi_of, stanzas.has_invite;

local hosts = prosody.hosts;

local VERSION = 1; -- of doc/protocol.md
local RELEASE = "0.1.0";
local ANSWER_LIFE = 600; -- seconds that answers are known as such
local SETUP_MAX = 120; -- seconds from a propose to its session-initiate
local LOST_LIFE = 30; -- seconds that what was lost is worth a care
local LOST_MAX = 16; -- of one pair
local SAVE_AGAIN = 600; -- seconds that what is stored may lag behind
local ENTRIES = 10000; -- of each table, at least
-- A user's are one file, which is written as a whole, in the server's only
-- thread.
local IDS_STORED = 8; -- of one pair, the newest
local PEERS_STORED = 500; -- of one user
local SAVES_MAX = 100; -- of one user in a minute

local xmlns_relay = "urn:privatecall:relay:0";
local xmlns_query = "urn:privatecall:query:0";
local xmlns_own = "^urn:privatecall:";
local xmlns_jingle = "urn:xmpp:jingle:1";
local xmlns_jmi = "urn:xmpp:jingle-message:0";
local xmlns_hints = "urn:xmpp:hints";
local xmlns_receipts = "urn:xmpp:receipts";

-- What a relayed message may hold beside: a name, or true for all.
local may_hold = {
	[xmlns_hints] = true,
	["urn:xmpp:sid:0"] = "origin-id",
	["urn:xmpp:carbons:2"] = "private",
	[xmlns_receipts] = "request",
};
local rows = {
	off = {
		reason = "decline",
		text = "Private calls are turned off on this server.",
	},
	down = {
		reason = "gone",
		text = "Calls are not available right now. Try again shortly.",
	},
};

-- One state for all hosts; it survives a reload of the module.
local state = module:shared("/*/privatecall/state");
for _, name in ipairs {
	"pairs", "ids", "native", "asked", "sent", "saved", "saves", "loaded",
	"unheard",
} do
	local kept = state[name]; -- of an older version: without all()
	state[name] = kept and kept.all and kept or new_recent(ENTRIES);
end
state.hosts = state.hosts or {}; -- [host] = { component, load }
-- Stanzas of ours under way.
state.own = state.own or setmetatable({}, { __mode = "k" });

local store = module:open_store("privatecall");
local greeted; -- the component's session that has said hello
local reloading = false;
local alive; -- what alive.lib.lua returns
local options = {};

-- Options -----------------------------------------------------------------

local function read_options()
	options.component = module:get_option_string("privatecall_component",
		"calls." .. module.host);
	options.private_calls = module:get_option_boolean("private_calls", true);
	options.remote_users =
		module:get_option_boolean("privatecall_remote_users", false);
	options.lifetime =
		module:get_option_number("privatecall_pair_lifetime", 7200);
	local down = module:get_option_string("privatecall_when_down", "refuse");
	if down ~= "refuse" and down ~= "native" then
		module:log("error", "privatecall_when_down is \"refuse\" or "
			.. "\"native\", not %q; refuse is used", down);
		down = "refuse";
	end
	options.when_down = down;
end

-- The component -----------------------------------------------------------

local function component_session()
	local host = hosts[options.component];
	local component = host and host.modules.component;
	return component and component.connected and component.session or nil;
end

-- The session if the component is up: it has said hello on it.
local function up()
	local session = component_session();
	return session and session == greeted and session or nil;
end

-- Came in on the component's own stream: a from address proves nothing.
local function is_component(origin)
	return origin.type == "component" and origin == component_session();
end

local function tell(session, child)
	session.send(st.message({ from = module.host, to = options.component })
		:add_child(child));
end

local function hello()
	return add_setup(st.stanza("hello", {
		xmlns = xmlns_query,
		version = tostring(VERSION),
		software = "mod_privatecall",
		release = RELEASE,
		server = "Prosody " .. tostring(prosody.version),
		private_calls = tostring(options.private_calls),
		when_down = options.when_down,
		remote_users = tostring(options.remote_users),
	}));
end

-- What is remembered ------------------------------------------------------

local function key(a, b, c)
	return c and a .. "\0" .. b .. "\0" .. c or a .. "\0" .. b;
end

-- Of an address that the server has prepared: less work than util.jid's.
local function bare(address)
	return address:match("^[^/]*");
end

local function split(address)
	return address:match("^([^@/]+)@([^/]+)");
end

local function pair_key(a, b)
	a, b = bare(a), bare(b);
	if a > b then a, b = b, a; end
	return key(a, b);
end

local function prune(peers)
	local count, oldest = 0, nil;
	for peer, entry in pairs(peers) do
		if now() - entry.seen > options.lifetime then
			peers[peer] = nil;
		else
			count = count + 1;
			if not oldest or entry.seen < peers[oldest].seen then
				oldest = peer;
			end
		end
	end
	if count > PEERS_STORED then peers[oldest] = nil; end
end

local function prune_ids(ids)
	local count, oldest = 0, nil;
	for id, seen in pairs(ids) do
		count = count + 1;
		if not oldest or seen < ids[oldest] then oldest = id; end
	end
	if count > IDS_STORED then ids[oldest] = nil; end
end

-- Whether this user's file may be written again by now.
local function may_save(user)
	local mark = key(module.host, user);
	local saves = state.saves:get(mark);
	if not saves or now() - saves.from >= 60 then
		saves = { from = now(), count = 0 };
		state.saves:set(mark, saves);
	end
	saves.count = saves.count + 1;
	return saves.count <= SAVES_MAX;
end

-- Keeps what is known of the pair in the store, under a user of this host.
-- What a user says beyond SAVES_MAX, five times the calls that a component
-- lets him begin by default, is remembered in memory alone.
local function save(user, peer, id)
	if not may_save(user) then return; end
	local peers = store:get(user) or {};
	local entry = peers[peer] or { ids = {} };
	entry.seen = now();
	if id then entry.ids[id] = now(); end
	prune_ids(entry.ids);
	peers[peer] = entry;
	prune(peers);
	local ok, err = store:set(user, peers);
	if not ok then
		module:log("error", "The calls of a user could not be stored: %s", err);
	end
end

-- What the store knows of a user of this host, once.
local function load(user)
	local mark = key(module.host, user);
	if state.loaded:get(mark) then return; end
	state.loaded:set(mark, true);
	local address = jid.join(user, module.host);
	for peer, entry in pairs(store:get(user) or {}) do
		local pair = pair_key(address, peer);
		state.pairs:set(pair, math.max(state.pairs:get(pair) or 0, entry.seen));
		for id in pairs(entry.ids) do state.ids:set(key(pair, id), true); end
	end
end

local function load_both(a, b)
	for _, address in ipairs { a, b } do
		local node, host = split(address);
		if node and state.hosts[host] then state.hosts[host].load(node); end
	end
end

local function pair_known(a, b)
	local pair = pair_key(a, b);
	local seen = state.pairs:get(pair);
	if not seen then
		load_both(a, b);
		seen = state.pairs:get(pair);
	end
	return seen ~= nil and now() - seen <= options.lifetime;
end

local function id_known(a, b, id)
	if not pair_known(a, b) then return false; end
	local mark = key(pair_key(a, b), id);
	if not state.ids:get(mark) then load_both(a, b); end
	return state.ids:get(mark) or false;
end

-- `renew`: the stanza is a user's own.
local function remember(from, to, id, renew)
	local pair = pair_key(from, to);
	local fresh = id and not state.ids:get(key(pair, id));
	if renew then state.pairs:set(pair, now()); end
	if fresh then state.ids:set(key(pair, id), true); end
	if not fresh and now() - (state.saved:get(pair) or 0) < SAVE_AGAIN then
		return;
	end
	local user, host = split(from);
	local peer = bare(to);
	if host ~= module.host then
		user, host = split(to);
		peer = bare(from);
	end
	if host ~= module.host or not user then return; end
	state.saved:set(pair, now());
	save(user, peer, id);
end

-- A start that the component has missed: none of its calls any more.
local function forsake(from, to, id)
	local start = key(pair_key(from, to), id);
	load_both(from, to); -- else a later load would bring it back
	state.ids:set(start, nil);
	state.native:set(start, true);
end

-- A start that was delivered while the component was down: its call is the
-- server's own, also when the component is back.
local function let_alone(from, to, id)
	state.native:set(key(pair_key(from, to), id), now());
end

-- Of such a call; its id makes no new one.
local function goes_on_alone(from, to, call)
	local at = call.id and state.native:get(key(pair_key(from, to), call.id));
	if type(at) ~= "number" or call.name == "propose" then return false; end
	return call.name ~= "session-initiate" or now() - at <= SETUP_MAX;
end

-- Of a stanza that may be answered: an iq, or a message, which may be without
-- an id.
local function asked_key(stanza, from, to)
	local id = stanza.attr.id or "";
	return key(from, to, stanza.name == "iq" and id or "\1" .. id);
end

local function take_fresh(cache, what, keep)
	local at = cache:get(what);
	if not at or now() - at > ANSWER_LIFE then return false; end
	if not keep then cache:set(what, nil); end
	return true;
end

-- Stanzas -----------------------------------------------------------------

-- What a stanza of a user is to us: { kind = "answer", "invite", "jmi" or
-- "jingle", start, id, name }, or nil.
local function call_message(stanza, from, to)
	local attr = stanza.attr;
	local failed = attr.type == "error";
	local jmi = not failed and jmi_of(stanza);
	if jmi then
		local start = jmi.name == "propose";
		if not start and bare(from) == bare(to) then
			return nil;
		end
		return {
			kind = "jmi", name = jmi.name, id = jmi.attr.id or "",
			start = start,
		};
	end
	if not failed and attr.type ~= "groupchat" and has_invite(stanza) then
		return { kind = "invite" };
	end
	local received = stanza:get_child("received", xmlns_receipts);
	local id = failed and attr.id or received and received.attr.id;
	if id and take_fresh(state.sent, key(to, bare(from), id), true) then
		return { kind = "answer" };
	end
	return nil;
end

local function call_iq(stanza, from, to)
	local attr = stanza.attr;
	if attr.type == "result" or attr.type == "error" then
		if attr.id and take_fresh(state.sent, key(to, from, attr.id)) then
			return { kind = "answer", iq = true };
		end
		return nil;
	end
	if attr.type ~= "set" then return nil; end
	local jingle = stanza:get_child("jingle", xmlns_jingle);
	local sid = jingle and jingle.attr.sid;
	if not sid then return nil; end
	local start = jingle.attr.action == "session-initiate";
	if has_rtp(jingle) or id_known(from, to, sid) then
		return {
			kind = "jingle", name = jingle.attr.action, id = sid, start = start,
		};
	end
	if start then state.native:set(key(pair_key(from, to), sid), true); end
	return nil;
end

-- Injects a stanza of our own.
local function deliver(stanza, origin)
	state.own[stanza] = true;
	module:send(stanza, origin);
	state.own[stanza] = nil;
end

local function reason_of(row)
	return st.stanza("reason", { xmlns = xmlns_jingle })
		:tag(row.reason):up()
		:text_tag("text", row.text);
end

local function say(name, id, row, from, to, hint)
	local attr = { type = "chat", id = new_id(), from = from, to = to };
	deliver(st.message(attr)
		:tag(name, { xmlns = xmlns_jmi, id = id })
			:add_child(reason_of(row))
		:up()
		:tag(hint, { xmlns = xmlns_hints }):up());
end

-- While the component is down ---------------------------------------------

local function terminate(stanza, row, from, to)
	local id = new_id();
	local iq = st.iq({ type = "set", id = id, from = to, to = from })
		:tag("jingle", { xmlns = xmlns_jingle, action = "session-terminate",
			sid = stanza:get_child("jingle", xmlns_jingle).attr.sid })
		:add_child(reason_of(row)):up();
	local result = st.reply(stanza);
	result.attr.from, result.attr.to = to, from;
	deliver(result);
	state.sent:set(key(to, from, id), now());
	deliver(iq);
end

local function refuse(stanza, call, row, from, to)
	if call.kind == "jingle" then
		terminate(stanza, row, from, to);
	else
		local by = bare(to) .. "/privatecall";
		say("reject", call.id, row, by, from, "store");
	end
	return true;
end

-- A call that was about to stand ends for both.
local function finish(stanza, call, row, from, to)
	if call.kind == "jingle" then
		terminate(stanza, row, from, to);
		say("retract", call.id, row, from, to, "no-store");
	else
		say("retract", call.id, row, to, from, "no-store");
		say("reject", call.id, row, from, to, "no-store");
	end
	return true;
end

local function row_now()
	if not options.private_calls then return rows.off; end
	return options.when_down == "refuse" and rows.down or nil;
end

local function without_component(stanza, call, from, to)
	if call.kind == "answer" then return true; end
	local row = row_now();
	local known = call.id and id_known(from, to, call.id);
	if not row then
		if call.start and not known then let_alone(from, to, call.id); end
		return nil;
	end
	if call.start and not known then
		return refuse(stanza, call, row, from, to);
	end
	if call.name == "proceed" or call.name == "session-initiate" then
		return finish(stanza, call, row, from, to);
	end
	return nil;
end

-- Redirect ----------------------------------------------------------------

local function no_mark(child)
	if child.attr.xmlns and child.attr.xmlns:find(xmlns_own) then
		return nil;
	end
	return child;
end

-- Until the component says something about the pair.
local function keep_unheard(stanza, call, from, to)
	local pair = pair_key(from, to);
	local list = state.unheard:get(pair) or {};
	if #list >= LOST_MAX then table.remove(list, 1); end
	list[#list + 1] = {
		stanza = stanza, call = call, from = from, to = to, at = now(),
	};
	state.unheard:set(pair, list);
end

local function refuse_deep(event)
	event.origin.send(st.error_reply(event.stanza, "modify",
		"policy-violation"));
	return true;
end

-- Before the archive (0), which fails at a hundred levels, without a word.
local function on_deep(event)
	local stanza = event.stanza;
	if not may_be_call(stanza) or not too_deep(stanza, 1)
	or state.own[stanza] or stanza.attr.type == "error" then
		return nil;
	end
	return refuse_deep(event);
end

local function redirect(event, session, call, from, to)
	local stanza = event.stanza;
	local type = stanza.attr.type;
	if too_deep(stanza, 1) then
		if type ~= "error" and type ~= "result" then
			refuse_deep(event);
		end
		return true;
	end
	if call.kind ~= "answer" then
		remember(from, to, call.start and call.id or nil, true);
	elseif call.iq and pair_known(from, to) then
		remember(from, to, nil, true);
	end
	if call.kind ~= "answer" then
		keep_unheard(stanza, call, from, to);
		state.asked:set(asked_key(stanza, from, to), now());
	end
	stanza:maptags(no_mark);
	stanza.attr.xmlns, stanza.attr.to = nil, to;
	session.send(stanza);
	alive.redirected();
	return true;
end

-- "ours", "other" (a user elsewhere) or nil: no user, or a contact of the
-- component.
local function kind_of(address)
	local node, host = split(address);
	if not node or host == options.component then return nil; end
	local known = state.hosts[host];
	return known and known.component == options.component and "ours" or "other";
end

local function handle(event, call_of)
	local stanza = event.stanza;
	local from = stanza.attr.from;
	if not may_be_call(stanza) or not from or state.own[stanza]
	or is_component(event.origin) then
		return nil;
	end
	local to = stanza.attr.to or bare(from); -- to oneself
	local a, b = kind_of(from), kind_of(to);
	if not a or not b or (a == "other" and b == "other") then return nil; end
	local call = call_of(stanza, from, to);
	if not call then return nil; end
	if a == "other" or b == "other" then
		if call.start and not options.private_calls then
			return refuse(stanza, call, rows.off, from, to);
		end
		if not options.remote_users then return nil; end
	end
	local session = up();
	if call.kind == "invite" then
		if not session and not row_now() then return nil; end
		event.origin.send(st.error_reply(stanza, "cancel", "not-allowed"));
		return true;
	end
	if not session then return without_component(stanza, call, from, to); end
	if goes_on_alone(from, to, call) then return nil; end
	return redirect(event, session, call, from, to);
end

-- Our users: behind their block list (100), archive (0) and carbons (-0.5).
local function on_sent_message(event) return handle(event, call_message); end
local function on_sent_iq(event) return handle(event, call_iq); end

-- What comes from elsewhere, and errors that the server makes: behind the
-- recipient's block list (100). Our own users' stanzas were seen already.
local function was_seen(event)
	return event.origin.type == "c2s" and state.hosts[event.origin.host] ~= nil;
end
local function on_message(event)
	return not was_seen(event) and handle(event, call_message) or nil;
end
local function on_iq(event)
	return not was_seen(event) and handle(event, call_iq) or nil;
end

for _, kind in ipairs { "bare", "full" } do
	module:hook("pre-message/" .. kind, on_deep, 10);
	module:hook("pre-message/" .. kind, on_sent_message, -10);
	module:hook("pre-iq/" .. kind, on_sent_iq, -10);
	module:hook("message/" .. kind, on_message, 90);
	module:hook("iq/" .. kind, on_iq, 90);
end

-- Relay -------------------------------------------------------------------

-- From the component's namespace to that of clients.
local function to_client(stanza)
	stanza.attr.xmlns = nil;
	for _, child in ipairs(stanza.tags) do
		if child.attr.xmlns == "jabber:client" then to_client(child); end
	end
end

local function has_text(element)
	for _, child in ipairs(element) do
		if type(child) == "string" and child:find("%S") then return true; end
	end
	return false;
end

-- The component says addresses as it has heard them; each is prepared once.
local prepared = new_recent(1000);
local function prep(address)
	if not address then return nil; end
	local known = prepared:get(address);
	if not known then
		known = jid.prep(address);
		prepared:set(address, known);
	end
	return known;
end

local function check_addresses(stanza)
	local from, to = prep(stanza.attr.from), prep(stanza.attr.to);
	if not from or not to then return false; end
	stanza.attr.from, stanza.attr.to = from, to;
	local a, b = kind_of(from), kind_of(to);
	if a == "ours" and jid.host(from) == module.host then
		return b == "ours" or (b == "other" and options.remote_users);
	end
	return options.remote_users and a == "other" and b == "ours"
		and jid.host(to) == module.host;
end

-- The checks of each kind: nil when it may pass, else `why`.
local function check_message(stanza)
	local kind = stanza.attr.type or "normal";
	if (kind ~= "chat" and kind ~= "normal") or has_text(stanza) then
		return "stanza";
	end
	local jmi, received, start = 0, 0, nil;
	for _, child in ipairs(stanza.tags) do
		local xmlns = child.attr.xmlns;
		local allowed = may_hold[xmlns];
		if is_jmi_ns[xmlns] and is_jmi[child.name] then
			jmi = jmi + 1;
			start = child.name == "propose" and child.attr.id;
		elseif xmlns == xmlns_receipts and child.name == "received" then
			received = received + 1;
		elseif allowed ~= true and allowed ~= child.name then
			return "stanza";
		end
	end
	if jmi > 1 or received > 1 or jmi + received ~= 1 then return "stanza"; end
	if start and state.native:get(
		key(pair_key(stanza.attr.from, stanza.attr.to), start)) then
		return "session";
	end
	if start and not options.private_calls then return "off"; end
	return nil, start;
end

local function check_set(stanza)
	local jingle = stanza:get_child("jingle", xmlns_jingle);
	local sid = jingle and jingle.attr.sid;
	if #stanza.tags ~= 1 or not sid or not stanza.attr.id
	or has_other(jingle) then
		return "stanza";
	end
	local from, to = stanza.attr.from, stanza.attr.to;
	local start = jingle.attr.action == "session-initiate";
	if start and not has_rtp(jingle) then return "stanza"; end
	if state.native:get(key(pair_key(from, to), sid)) then return "session"; end
	if not start and not id_known(from, to, sid) then return "session"; end
	if start and not options.private_calls then return "off"; end
	return nil, start and sid;
end

local function check_answer(stanza)
	local attr = stanza.attr;
	if attr.type == "result" and (#stanza.tags > 0 or has_text(stanza)) then
		return "stanza";
	end
	if not take_fresh(state.asked, asked_key(stanza, attr.to, attr.from)) then
		return "answer";
	end
	return nil;
end

-- The component could not take a message.
local function check_bounce(stanza)
	local child = stanza.tags[1];
	if #stanza.tags ~= 1 or child.name ~= "error"
	or child.attr.xmlns ~= nil or has_text(stanza) then
		return "stanza";
	end
	return check_answer(stanza);
end

local function check_kind(stanza)
	if stanza.name == "message" then
		local bounces = stanza.attr.type == "error";
		return (bounces and check_bounce or check_message)(stanza);
	end
	if stanza.attr.type == "set" then return check_set(stanza); end
	if stanza.attr.type == "result" or stanza.attr.type == "error" then
		return check_answer(stanza);
	end
	return "stanza";
end

-- why, start, the inner stanza.
local function check(origin, relay)
	if not is_component(origin) then return "asker"; end
	local stanza = relay.tags[1];
	if #relay.tags ~= 1 or stanza.attr.xmlns ~= "jabber:client"
	or (stanza.name ~= "message" and stanza.name ~= "iq") then
		return "malformed";
	end
	if too_deep(stanza, 1) then return "depth", nil, stanza; end
	to_client(stanza);
	if not check_addresses(stanza) then return "address", nil, stanza; end
	if not pair_known(stanza.attr.from, stanza.attr.to) then
		return "pair", nil, stanza;
	end
	local why, start = check_kind(stanza);
	return why, start, stanza;
end

local function inject(origin, stanza, start)
	alive.heard();
	local from, to, id = stanza.attr.from, stanza.attr.to, stanza.attr.id;
	if stanza.attr.type ~= "result" then
		state.unheard:set(pair_key(from, to), nil);
	end
	if start then remember(from, to, start, false); end
	if stanza.name == "message" then
		if id and stanza.attr.type ~= "error" then
			state.sent:set(key(from, bare(to), id), now());
		end
	elseif stanza.attr.type == "set" then
		state.sent:set(key(from, to, id), now());
	end
	-- The component is the origin: what the server answers goes to it.
	deliver(stanza, origin);
end

local function forbid(event, why, inner)
	local stanza = event.stanza;
	refusals.note(why, stanza.attr.from);
	local reply = st.error_reply(stanza, "auth", "forbidden");
	if why == "off" then
		reply = st.error_reply(stanza, "cancel", "not-allowed");
	end
	if stanza.tags[1].attr.xmlns == xmlns_relay then
		local attr = inner and inner.attr or {};
		reply:tag("refused", {
			xmlns = xmlns_relay, why = why, stanza = inner and inner.name,
			id = attr.id, from = attr.from, to = attr.to,
		});
	end
	event.origin.send(reply);
	return true;
end

module:hook("iq-set/host/" .. xmlns_relay .. ":relay", function (event)
	local why, start, inner = check(event.origin, event.stanza.tags[1]);
	if why then return forbid(event, why, inner); end
	event.origin.send(st.reply(event.stanza));
	inject(event.origin, inner, start);
	return true;
end);

-- Hello -------------------------------------------------------------------

local shared = {
	up = up, is_component = is_component, forbid = forbid, options = options,
};
local replay = module:require "facts" (shared);
alive = module:require "alive" (shared);

local function again(lost)
	local stanza, call = lost.stanza, lost.call;
	local row = row_now();
	if call.start then forsake(lost.from, lost.to, call.id); end
	if now() - lost.at >= LOST_LIFE then return; end
	if call.start and row then
		refuse(stanza, call, row, lost.from, lost.to);
	elseif not without_component(stanza, call, lost.from, lost.to) then
		deliver(stanza);
	end
end

-- The component is gone: what it has said nothing about was lost with it, and
-- is taken as if it came now, in its order.
local function on_lost()
	for pair, list in pairs(state.unheard:all()) do
		local rest = {};
		for _, lost in ipairs(list) do
			if jid.host(lost.from) == module.host then
				-- Whatever one does, the others have theirs.
				local ok, why = pcall(again, lost);
				if not ok then
					module:log("error", "a lost stanza: %s", why);
				end
			else
				rest[#rest + 1] = lost;
			end
		end
		state.unheard:set(pair, #rest > 0 and rest or nil);
	end
end

local function watch(session)
	local before = session.on_destroy;
	function session.on_destroy(...)
		if before then before(...); end
		if greeted == session then
			greeted = nil;
			on_lost();
		end
	end
end

module:hook("iq-set/host/" .. xmlns_query .. ":hello", function (event)
	local origin, stanza = event.origin, event.stanza;
	if not is_component(origin) then return forbid(event, "asker"); end
	local attr = stanza.tags[1].attr;
	local version = tonumber(attr.version);
	if not version or version < 1 then
		origin.send(st.error_reply(stanza, "modify", "bad-request"));
		return true;
	end
	if version ~= VERSION or attr.release ~= RELEASE then
		module:log("warn", "This is mod_privatecall %s (protocol %d), the "
			.. "component is %s %s (protocol %s); update the older one",
			RELEASE, VERSION, attr.software or "?", attr.release or "?",
			attr.version);
	end
	if greeted ~= origin then watch(origin); end
	greeted = origin;
	origin.send(st.reply(stanza):add_child(hello()));
	replay(origin);
	return true;
end);

-- Life --------------------------------------------------------------------

local function announce()
	state.hosts[module.host] = { component = options.component, load = load };
	local session = component_session();
	if session then tell(session, hello()); end
end

-- After a SIGHUP this runs in between any two steps of the server: what is
-- written while it writes could be lost, so that waits for the loop.
module:hook_global("config-reloaded", function ()
	read_options();
	module:add_timer(0, announce);
end);

function module.load()
	read_options();
	announce();
end

function module.save()
	reloading = true;
	return { greeted = greeted };
end

function module.restore(saved)
	greeted = saved.greeted;
	if up() then watch(greeted); end
end

function module.unload()
	refusals.say();
	if reloading then return; end
	local session = up();
	state.hosts[module.host] = nil;
	if session then
		tell(session, st.stanza("bye", { xmlns = xmlns_query }));
	end
end
