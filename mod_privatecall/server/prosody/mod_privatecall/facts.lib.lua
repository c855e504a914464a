-- facts.lib.lua: what the server knows: the mirror of all sessions, and the one
-- query (doc/protocol.md). Gets what mod_privatecall.lua shares with it, and
-- returns what replays the mirror.

local st = require "util.stanza";
local jid = require "util.jid";
local load_roster = require "core.rostermanager".load_roster;
local user_exists = require "core.usermanager".user_exists;

local hosts = prosody.hosts;

local SESSIONS_PER_MESSAGE = 100;

local xmlns_query = "urn:privatecall:query:0";
local xmlns_caps = "http://jabber.org/protocol/caps";

-- { up, tell, is_component, forbid }
local core;

-- The mirror --------------------------------------------------------------

local function priority_of(presence)
	local priority = tonumber(presence:get_child_text("priority")) or 0;
	if priority == 0 then return nil; end
	return ("%d"):format(math.max(-128, math.min(127, priority)));
end

-- `known`: what has changed and is not in the session yet.
local function describe(session, known)
	known = known or {};
	local presence = known.presence or session.presence;
	local idle = presence:get_child("idle", "urn:xmpp:idle:1");
	local caps = presence:get_child("c", xmlns_caps);
	local item = st.stanza("session", {
		xmlns = xmlns_query,
		jid = session.full_jid,
		priority = priority_of(presence),
		show = presence:get_child_text("show"),
		idle = idle and idle.attr.since,
		csi = known.csi or session.state,
		push = session.push_identifier and "true" or nil,
	});
	if session.hibernating and not known.resumed then
		item.attr.hibernating = "true";
	end
	for _, name in ipairs { "node", "hash", "ver" } do
		item.attr[name] = caps and caps.attr[name];
	end
	return item;
end

local function sessions_message(replay)
	return st.stanza("sessions", { xmlns = xmlns_query, replay = replay });
end

local function mirror(child)
	local session = core.up();
	if session then
		core.tell(session, sessions_message():add_child(child));
	end
end

local function mirror_session(session, known)
	if session.full_jid and session.presence then
		mirror(describe(session, known));
	end
end

-- Before anything is done with it (mod_presence has 0): broadcast presence.
module:hook("presence/bare", function (event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.to or origin.type ~= "c2s" or not origin.full_jid then
		return;
	end
	if stanza.attr.type == nil then
		mirror(describe(origin, { presence = stanza }));
	elseif stanza.attr.type == "unavailable" then
		mirror(st.stanza("gone", {
			xmlns = xmlns_query, jid = origin.full_jid,
		}));
	end
end, 150);

for _, word in ipairs { "active", "inactive" } do
	module:hook("stanza/urn:xmpp:csi:0:" .. word, function (event)
		if event.origin.username then
			mirror_session(event.origin, { csi = word });
		end
	end, 10);
end
module:hook("smacks-hibernation-start", function (event)
	mirror_session(event.origin);
end);
module:hook("smacks-hibernation-end", function (event)
	mirror_session(event.resumed or event.origin, { resumed = true });
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
			message:add_child(describe(session));
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
