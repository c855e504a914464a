-- facts.lib.lua: what the server knows: the mirror of all sessions, and the one
-- query (doc/protocol.md). Gets what mod_privatecall.lua shares with it, and
-- returns what replays the mirror.

local st = require "util.stanza";
local jid = require "util.jid";
local load_roster = require "core.rostermanager".load_roster;
local user_exists = require "core.usermanager".user_exists;

local hosts = prosody.hosts;

local SESSIONS_PER_MESSAGE = 100;
local GATHER = 0.3; -- seconds that a change may wait for others

local xmlns_query = "urn:privatecall:query:0";
local xmlns_caps = "http://jabber.org/protocol/caps";
local xmlns_idle = "urn:xmpp:idle:1";

-- { up, tell, is_component, forbid }
local core;

-- The mirror --------------------------------------------------------------

local function priority_of(text)
	local priority = tonumber(text) or 0;
	if priority == 0 then return nil; end
	return ("%d"):format(math.max(-128, math.min(127, priority)));
end

-- The children by name, in one go: a look for each is much of the work. Of
-- this namespace there is one of each, as mod_presence takes it.
local function parts_of(presence)
	local parts, xmlns = {}, presence.attr.xmlns;
	for _, child in ipairs(presence.tags) do
		local name, ns = child.name, child.attr.xmlns;
		if ns == xmlns or ns == nil or (name == "c" and ns == xmlns_caps)
		or (name == "idle" and ns == xmlns_idle) then
			parts[name] = parts[name] or child;
		end
	end
	return parts;
end

-- `known`: what has changed and is not in the session yet.
local function describe(session, known)
	known = known or {};
	local parts = parts_of(known.presence or session.presence);
	local caps = parts.c and parts.c.attr.xmlns and parts.c.attr or {};
	local item = st.stanza("session", {
		xmlns = xmlns_query,
		jid = session.full_jid,
		priority = priority_of(parts.priority and parts.priority:get_text()),
		show = parts.show and parts.show:get_text(),
		idle = parts.idle and parts.idle.attr.since,
		csi = session.state,
		push = session.push_identifier and "true" or nil,
		node = caps.node, hash = caps.hash, ver = caps.ver,
	});
	if session.hibernating and not known.resumed then
		item.attr.hibernating = "true";
	end
	return item;
end

local function sessions_message(replay)
	return st.stanza("sessions", { xmlns = xmlns_query, replay = replay });
end

-- Of each session what the component was told last, as one text; and those
-- whose change is told together with others'.
local told = setmetatable({}, { __mode = "k" });
local waiting = {};

local function note(session, item)
	local attr = item.attr;
	local text = table.concat({
		attr.priority or "", attr.show or "", attr.idle or "",
		attr.csi or "", attr.hibernating or "", attr.push or "",
		attr.node or "", attr.hash or "", attr.ver or "",
	}, "\0");
	local is_new = told[session] ~= text;
	told[session] = text;
	return is_new;
end

local function tell_now(session, child)
	waiting[session] = nil;
	local origin = core.up();
	if origin then core.tell(origin, sessions_message():add_child(child)); end
end

local function tell_session(session, known)
	if session.full_jid and (known.presence or session.presence) then
		local item = describe(session, known);
		note(session, item);
		tell_now(session, item);
	end
end

-- How they are by now: what one changed back meanwhile is no change.
local function tell_waiting()
	local list = waiting;
	waiting = {};
	local origin = core.up();
	if not origin then return; end
	local message, count = sessions_message(), 0;
	for session in pairs(list) do
		local item = session.full_jid and session.presence
			and describe(session);
		if item and note(session, item) then
			message:add_child(item);
			count = count + 1;
		end
		if count == SESSIONS_PER_MESSAGE then
			core.tell(origin, message);
			message, count = sessions_message(), 0;
		end
	end
	if count > 0 then core.tell(origin, message); end
end

local function tell_soon(session)
	if not core.up() then return; end
	if next(waiting) == nil then module:add_timer(GATHER, tell_waiting); end
	waiting[session] = true;
end

-- Whether a message to the bare JID reaches it, which calls depend on.
local function is_as_before(session, presence)
	local before = session.presence and session.priority;
	if not before then return false; end
	local priority = tonumber(presence:get_child_text("priority")) or 0;
	return (before < 0) == (priority < 0);
end

-- Before anything is done with it (mod_presence has 0): broadcast presence.
module:hook("presence/bare", function (event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.to or origin.type ~= "c2s" or not origin.full_jid then
		return;
	end
	if stanza.attr.type == "unavailable" then
		tell_now(origin, st.stanza("gone", {
			xmlns = xmlns_query, jid = origin.full_jid,
		}));
	elseif stanza.attr.type == nil then
		if is_as_before(origin, stanza) then
			tell_soon(origin);
		else
			tell_session(origin, { presence = stanza });
		end
	end
end, 150);

for _, word in ipairs { "active", "inactive" } do
	module:hook("stanza/urn:xmpp:csi:0:" .. word, function (event)
		if event.origin.username then tell_soon(event.origin); end
	end, 10);
end
-- Before mod_cloud_notify (0) does it: by the time when it is told it is done.
for _, word in ipairs { "enable", "disable" } do
	module:hook("iq-set/self/urn:xmpp:push:0:" .. word, function (event)
		tell_soon(event.origin);
	end, 10);
end
module:hook("smacks-hibernation-start", function (event)
	tell_session(event.origin, {});
end);
module:hook("smacks-hibernation-end", function (event)
	tell_session(event.resumed or event.origin, { resumed = true });
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

local function replay(origin)
	local message, count = sessions_message("true"), 0;
	for user in pairs(hosts[module.host].sessions) do
		for _, session in ipairs(sessions_of(user)) do
			if count == SESSIONS_PER_MESSAGE then
				core.tell(origin, message);
				message, count = sessions_message("true"), 0;
			end
			local item = describe(session);
			note(session, item);
			message:add_child(item);
			count = count + 1;
		end
	end
	message.attr.replay = "last";
	core.tell(origin, message);
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
	for _, session in ipairs(sessions_of(user)) do
		reply:add_child(describe(session));
	end
	return reply;
end

local function bare_user(address)
	local prepped = address and jid.prep(address);
	if not prepped or jid.resource(prepped) then return nil; end
	return jid.node(prepped) and prepped or nil;
end

module:hook("iq-get/host/" .. xmlns_query .. ":facts", function (event)
	local origin, stanza = event.origin, event.stanza;
	if not core.is_component(origin) then
		return core.forbid(event, "asker");
	end
	local attr = stanza.tags[1].attr;
	local from, to = bare_user(attr.from), bare_user(attr.to);
	if not from or not to then
		origin.send(st.error_reply(stanza, "modify", "jid-malformed"));
	elseif jid.host(to) ~= module.host then
		origin.send(st.error_reply(stanza, "cancel", "item-not-found"));
	else
		origin.send(st.reply(stanza):add_child(facts(from, to)));
	end
	return true;
end);

return function (shared)
	core = shared;
	return replay;
end
