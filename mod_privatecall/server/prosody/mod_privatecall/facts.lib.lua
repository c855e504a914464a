-- facts.lib.lua: what the server knows: the mirror of all sessions, and the
-- answers to the component's questions (doc/protocol.md). Gets what
-- mod_privatecall.lua shares with it, and returns what replays the mirror.

local st = require "util.stanza";
local jid = require "util.jid";
local load_roster = require "core.rostermanager".load_roster;
local user_exists = require "core.usermanager".user_exists;

local hosts = prosody.hosts;

local SESSIONS_PER_MESSAGE = 100;

local xmlns_query = "urn:privatecall:query:0";
local xmlns_caps = "http://jabber.org/protocol/caps";
local xmlns_idle = "urn:xmpp:idle:1";

-- { up, is_component, forbid }
local core;

-- The mirror --------------------------------------------------------------

-- As mod_presence reads it: what is no whole number is 0.
local function priority_of(presence)
	local text = presence:get_child_text("priority");
	local priority = text and text:find("^[+-]?[0-9]+$") and tonumber(text)
		or 0;
	return math.max(-128, math.min(127, priority));
end

-- `presence`, `resumed`: what has changed and is not in the session yet.
local function shown(session, presence, resumed)
	local show, idle, node, hash, ver;
	presence = presence or session.presence;
	local priority = priority_of(presence);
	for _, child in ipairs(presence.tags) do
		local name, attr = child.name, child.attr;
		if name == "show" then
			show = child:get_text();
		elseif name == "c" and attr.xmlns == xmlns_caps then
			node, hash, ver = attr.node, attr.hash, attr.ver;
		elseif name == "idle" and attr.xmlns == xmlns_idle then
			idle = attr.since;
		end
	end
	return {
		jid = session.full_jid,
		priority = priority ~= 0 and ("%d"):format(priority) or nil,
		show = show, idle = idle,
		csi = session.state == "flushing" and "inactive" -- mod_csi_simple
			or session.state,
		hibernating = session.hibernating and not resumed and "true" or nil,
		push = session.push_identifier and "true" or nil,
		node = node, hash = hash, ver = ver,
	};
end

local function message(origin, replay)
	return st.message({ from = module.host, to = origin.host })
		:tag("sessions", { xmlns = xmlns_query, replay = replay });
end

-- In a session: the component knows how it is.
local TOLD = "privatecall_told";

local function tell_session(session, presence, resumed)
	local origin = core.up();
	if not origin or not session.full_jid
		or not (presence or session.presence) then return; end
	session[TOLD] = true;
	origin.send(message(origin):tag("session", shown(session, presence,
		resumed)));
end

-- Of a session: that it is gone, or has changed.
local function tell_word(session, word)
	session[TOLD] = nil;
	local origin = core.up();
	if origin then
		origin.send(message(origin):tag(word, { jid = session.full_jid }));
	end
end

-- Presence changes often, and how it is now matters to few: the component asks
-- when it does. So it is told once that it does not know, and then nothing.
local function changed(session)
	if session[TOLD] then tell_word(session, "changed"); end
end

local function same_caps(one, other)
	local a = one:get_child("c", xmlns_caps);
	local b = other:get_child("c", xmlns_caps);
	if not a or not b then return a == b; end
	return a.attr.ver == b.attr.ver and a.attr.node == b.attr.node
		and a.attr.hash == b.attr.hash;
end

-- What calls depend on: whether a message to the bare JID reaches it, and what
-- its client can do.
local function is_as_before(session, presence)
	local before = session.presence;
	if not before then return false; end
	return (session.priority < 0) == (priority_of(presence) < 0)
		and same_caps(before, presence);
end

-- Broadcast presence, before anything is done with it (mod_presence has 0): so
-- what it was before is known. Of CSI and push nothing is told by itself.
module:hook("presence/bare", function (event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.to or origin.type ~= "c2s" or not origin.full_jid then
		return;
	end
	if stanza.attr.type == "unavailable" then
		tell_word(origin, "gone");
	elseif stanza.attr.type == nil then
		if is_as_before(origin, stanza) then
			changed(origin);
		else
			tell_session(origin, stanza);
		end
	end
end, 150);

module:hook("smacks-hibernation-start", function (event)
	tell_session(event.origin);
end);
module:hook("smacks-hibernation-end", function (event)
	tell_session(event.resumed or event.origin, nil, true);
end);

local function sessions_of(user)
	local account = hosts[module.host].sessions[user];
	local list = {};
	for _, session in pairs(account and account.sessions or {}) do
		if session.full_jid and session.presence then
			list[#list + 1] = session;
		end
	end
	return list;
end

-- As children of `list`.
local function add_session(list, session)
	session[TOLD] = true;
	list:tag("session", shown(session)):up();
end

local function add_sessions(list, user)
	for _, session in ipairs(sessions_of(user)) do
		add_session(list, session);
	end
	return list;
end

local function replay(origin)
	local list, n = message(origin, "true"), 0;
	for user in pairs(hosts[module.host].sessions) do
		for _, session in ipairs(sessions_of(user)) do
			if n == SESSIONS_PER_MESSAGE then
				origin.send(list);
				list, n = message(origin, "true"), 0;
			end
			add_session(list, session);
			n = n + 1;
		end
	end
	list.tags[1].attr.replay = "last";
	origin.send(list);
end

-- Facts -------------------------------------------------------------------

local function subscription(owner, contact)
	local node, host = jid.split(owner);
	local roster = load_roster(node, host);
	local item = roster and roster[contact];
	return item and (item.subscription or "none") or nil;
end

-- nil: no block list is kept there.
local function blocks(owner, other)
	local node, host = jid.split(owner);
	if not hosts[host].modules.blocklist then return nil; end
	local list = module:context(host):open_store("blocklist"):get(node) or {};
	return tostring((list[other] or list[jid.host(other)]) and true or false);
end

local function has_push(user)
	for _, session in ipairs(sessions_of(user)) do
		if session.push_identifier then return "true"; end
	end
	if not hosts[module.host].modules.cloud_notify then return nil; end
	local kept = module:open_store("cloud_notify"):get(user);
	return tostring(kept and next(kept) ~= nil or false);
end

local function facts(from, to)
	local user = jid.node(to);
	local from_host = hosts[jid.host(from)];
	local local_from = from_host and from_host.type == "local";
	local exists = user_exists(user, module.host) and true or false;
	local reply = st.stanza("facts", {
		xmlns = xmlns_query, from = from, to = to, exists = tostring(exists),
		push = exists and has_push(user) or nil,
		subscription = exists and subscription(to, from) or nil,
		reverse = local_from and subscription(from, to) or nil,
		blocks = exists and blocks(to, from) or nil,
		blocked = local_from and blocks(from, to) or nil,
	});
	return add_sessions(reply, user);
end

local function bare_user(address)
	local prepped = address and jid.prep(address);
	if not prepped or jid.resource(prepped) then return nil; end
	return jid.node(prepped) and prepped or nil;
end

local function sessions(user)
	return add_sessions(st.stanza("sessions", { xmlns = xmlns_query,
		jid = user }), jid.node(user));
end

-- `names`: of attributes that are users, the last one of this host; `answer`
-- gets them.
local function question(name, names, answer)
	module:hook("iq-get/host/" .. xmlns_query .. ":" .. name, function (event)
		local origin, stanza = event.origin, event.stanza;
		if not core.is_component(origin) then
			return core.forbid(event, "asker");
		end
		local users = {};
		for i, attribute in ipairs(names) do
			users[i] = bare_user(stanza.tags[1].attr[attribute]);
		end
		if #users < #names then
			origin.send(st.error_reply(stanza, "modify", "jid-malformed"));
		elseif jid.host(users[#users]) ~= module.host then
			origin.send(st.error_reply(stanza, "cancel", "item-not-found"));
		else
			origin.send(st.reply(stanza):add_child(
				answer(table.unpack(users))));
		end
		return true;
	end);
end

question("facts", { "from", "to" }, facts);
question("sessions", { "jid" }, sessions);

return function (shared)
	core = shared;
	return replay;
end
