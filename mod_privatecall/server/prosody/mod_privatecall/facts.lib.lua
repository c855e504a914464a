-- facts.lib.lua: what the server knows: the mirror of all sessions, and the one
-- query (doc/protocol.md). Gets what mod_privatecall.lua shares with it, and
-- returns what replays the mirror.

local st = require "util.stanza";
local jid = require "util.jid";
local load_roster = require "core.rostermanager".load_roster;
local user_exists = require "core.usermanager".user_exists;

local hosts = prosody.hosts;
local xml_escape = st.xml_escape;

local SESSIONS_PER_MESSAGE = 100;
local GATHER = 0.3; -- seconds that a change may wait for others

local xmlns_query = "urn:privatecall:query:0";
local xmlns_caps = "http://jabber.org/protocol/caps";
local xmlns_idle = "urn:xmpp:idle:1";

-- { up, is_component, forbid }
local core;

-- The mirror --------------------------------------------------------------

local function priority_of(text)
	local priority = tonumber(text) or 0;
	if priority == 0 then return nil; end
	return ("%d"):format(math.max(-128, math.min(127, priority)));
end

-- What may change in a `session`, and what of it is so, in this order. Much of
-- what presence costs the server is the garbage that is made here: so it makes
-- no tables. Of these names and namespaces there is one child each.
local SHOWN = {
	"priority", "show", "idle", "csi", "hibernating", "push", "node", "hash",
	"ver",
};

-- `presence`, `resumed`: what has changed and is not in the session yet.
local function shown(session, presence, resumed)
	local priority, show, idle, node, hash, ver;
	presence = presence or session.presence;
	for _, child in ipairs(presence.tags) do
		local name, attr = child.name, child.attr;
		if name == "show" then
			show = child:get_text();
		elseif name == "priority" then
			priority = priority_of(child:get_text());
		elseif name == "c" and attr.xmlns == xmlns_caps then
			node, hash, ver = attr.node, attr.hash, attr.ver;
		elseif name == "idle" and attr.xmlns == xmlns_idle then
			idle = attr.since;
		end
	end
	return priority, show, idle, session.state,
		session.hibernating and not resumed and "true" or nil,
		session.push_identifier and "true" or nil, node, hash, ver;
end

local parts = {}; -- of a text; used again and again

local function text_of(address, ...)
	parts[1], parts[2] = "<session jid='", xml_escape(address);
	local n = 2;
	for i, name in ipairs(SHOWN) do
		local value = select(i, ...);
		if value then
			parts[n + 1], parts[n + 2] = "' ", name;
			parts[n + 3], parts[n + 4] = "='", xml_escape(value);
			n = n + 4;
		end
	end
	parts[n + 1] = "'/>";
	return table.concat(parts, "", 1, n + 1);
end

local function describe(session, presence, resumed)
	return text_of(session.full_jid, shown(session, presence, resumed));
end

-- `items`: `session` and `gone` as text.
local function tell(origin, items, replay)
	origin.send(("<message from='%s' to='%s'><sessions xmlns='%s'%s>%s"
		.. "</sessions></message>"):format(module.host, origin.host,
		xmlns_query, replay and (" replay='%s'"):format(replay) or "",
		items));
end

local TOLD = "privatecall_told"; -- in a session: what was told of it last
local waiting = {}; -- sessions whose change is told together with others'

local function tell_now(session, item)
	session[TOLD], waiting[session] = item, nil;
	local origin = core.up();
	if origin then tell(origin, item); end
end

local function tell_session(session, presence, resumed)
	if session.full_jid and (presence or session.presence) then
		tell_now(session, describe(session, presence, resumed));
	end
end

-- How they are by now: what one changed back meanwhile is no change.
local function tell_waiting()
	local list, origin = waiting, core.up();
	waiting = {};
	if not origin then return; end
	local items = {};
	for session in pairs(list) do
		local item = session.full_jid and session.presence
			and describe(session);
		if item and item ~= session[TOLD] then
			session[TOLD] = item;
			items[#items + 1] = item;
		end
		if #items == SESSIONS_PER_MESSAGE then
			tell(origin, table.concat(items));
			items = {};
		end
	end
	if #items > 0 then tell(origin, table.concat(items)); end
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
		tell_now(origin, ("<gone jid='%s'/>"):format(
			xml_escape(origin.full_jid)));
	elseif stanza.attr.type == nil then
		if is_as_before(origin, stanza) then
			tell_soon(origin);
		else
			tell_session(origin, stanza);
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

local function replay(origin)
	local items = {};
	for user in pairs(hosts[module.host].sessions) do
		for _, session in ipairs(sessions_of(user)) do
			if #items == SESSIONS_PER_MESSAGE then
				tell(origin, table.concat(items), "true");
				items = {};
			end
			local item = describe(session);
			session[TOLD] = item;
			items[#items + 1] = item;
		end
	end
	tell(origin, table.concat(items), "last");
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
		local attr = { xmlns = xmlns_query, jid = session.full_jid };
		local values = table.pack(shown(session));
		for i, name in ipairs(SHOWN) do attr[name] = values[i]; end
		reply:tag("session", attr):up();
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
