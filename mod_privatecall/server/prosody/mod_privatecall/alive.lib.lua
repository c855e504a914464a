-- alive.lib.lua: whether the component still answers (doc/protocol.md, Alive).
-- Gets what mod_privatecall.lua shares with it, and returns what that calls
-- when it has redirected something, and when the component was heard.

local st = require "util.stanza";

local BEAT = 1; -- seconds between two looks
local SILENT_MAX = 4; -- looks without a sign of it: it is taken for dead
local ID = "privatecall-alive";

-- { up, is_component, options }
local core;
local beating = false;
local due = false; -- something was redirected since the last ping
local asked; -- the session whose answer is waited for
local silent = 0; -- looks since it was heard

local function ask(session)
	due, asked, silent = false, session, 0;
	session.send(st.iq({
		type = "get", id = ID, from = module.host, to = core.options.component,
	}):tag("ping", { xmlns = "urn:xmpp:ping" }));
end

-- A process that is stopped, or hangs, keeps its connection: without this its
-- users would ring into nothing. Looks are counted, not seconds: when it was
-- this server that stood still, the answer is read before the next look.
local function beat()
	local session = core.up();
	if session and asked == session then
		silent = silent + 1;
		if silent < SILENT_MAX then return BEAT; end
		module:log("warn", "The component says nothing any more; its "
			.. "connection is closed, and calls are refused or left "
			.. "alone (privatecall_when_down) until it is back");
		session:close {
			condition = "connection-timeout", text = "No answer to a ping",
		};
	elseif session and due then
		ask(session);
		return BEAT;
	end
	beating = false;
	return nil;
end

local function on_answer(event)
	if core.is_component(event.origin) then asked = nil; end
	return true;
end
module:hook("iq-result/host/" .. ID, on_answer);
module:hook("iq-error/host/" .. ID, on_answer);

local function redirected()
	due = true;
	if not beating then
		beating = true;
		module:add_timer(BEAT, beat);
	end
end

local function heard()
	silent = 0;
end

return function (shared)
	core = shared;
	return { redirected = redirected, heard = heard };
end
