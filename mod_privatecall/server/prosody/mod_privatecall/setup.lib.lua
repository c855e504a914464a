-- setup.lib.lua: how the server is set up, as far as it matters for calls and
-- cannot be seen from outside (doc/protocol.md, "Hello").

local is_loaded = require "core.modulemanager".is_loaded;

-- Those of mod_limits, when it has no option; exponents of ten.
local DEFAULT_RATE = 10 * 1024;
local BAD_RATE = 3000;
local UNITS = { b = 0, k = 3, m = 6, g = 9, t = 12 };

-- Bytes a second; nil: no limit.
local function user_rate()
	if not is_loaded("*", "limits") then return nil; end
	local limits = module:context("*"):get_option("limits", {}).c2s;
	if not limits then return DEFAULT_RATE; end
	local number, unit = tostring(limits.rate):match("^(%d+) ?([^/]+)/s$");
	local exponent = unit and UNITS[unit:sub(1, 1):lower()];
	return exponent and math.floor(number * 10 ^ exponent) or BAD_RATE;
end

-- Anybody may make himself an account, without an invitation.
local function registration()
	if not is_loaded(module.host, "register_ibr") then return false; end
	return not is_loaded(module.host, "invites_register")
		or not module:get_option_boolean("registration_invite_only", true);
end

return function (hello)
	local rate = user_rate();
	hello.attr.user_rate = rate and ("%d"):format(rate);
	hello.attr.registration = tostring(registration());
	return hello;
end
