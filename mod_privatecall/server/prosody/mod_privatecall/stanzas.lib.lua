-- stanzas.lib.lua: what stanzas are, by what they hold: of a call, of a file,
-- too deep (doc/protocol.md, Redirect).

local DEPTH_MAX = 64;

local xmlns_jingle = "urn:xmpp:jingle:1";
local xmlns_rtp = "urn:xmpp:jingle:apps:rtp:1";
local xmlns_jmi = "urn:xmpp:jingle-message:0";
local xmlns_receipts = "urn:xmpp:receipts";

local is_jmi_ns = { [xmlns_jmi] = true, ["urn:xmpp:jingle-message:1"] = true };
local is_jmi = {
	propose = true, retract = true, ringing = true, proceed = true,
	reject = true, accept = true, finish = true,
};
-- Calls by chat, past all of this: XEP-0482 and what Dino had before it.
local is_invite = {
	["urn:xmpp:call-invites:0"] = "invite",
	["urn:xmpp:call-message:1"] = "propose",
};
-- Children of a message that is of a call: a name, or true for all.
local of_call = {
	[xmlns_jmi] = true,
	["urn:xmpp:jingle-message:1"] = true,
	["urn:xmpp:call-invites:0"] = "invite",
	["urn:xmpp:call-message:1"] = "propose",
	[xmlns_receipts] = "received",
};

local function too_deep(element, depth)
	if depth > DEPTH_MAX then return true; end
	for _, child in ipairs(element.tags) do
		if too_deep(child, depth + 1) then return true; end
	end
	return false;
end

local function is_rtp(description)
	return description.attr.xmlns == xmlns_rtp;
end

local function has_rtp(jingle)
	for content in jingle:childtags("content", xmlns_jingle) do
		if content:get_child("description", xmlns_rtp) then return true; end
	end
	return false;
end

-- A content of another kind: file transfer and the like.
local function has_other(jingle)
	for content in jingle:childtags("content", xmlns_jingle) do
		for _, child in ipairs(content.tags) do
			if child.name == "description" and not is_rtp(child) then
				return true;
			end
		end
	end
	return false;
end

local function is_call_jmi(child)
	if not is_jmi_ns[child.attr.xmlns] or not is_jmi[child.name] then
		return false;
	end
	return child.name ~= "propose"
		or child:get_child("description", xmlns_rtp) ~= nil;
end

local function jmi_of(stanza)
	for _, child in ipairs(stanza.tags) do
		if is_call_jmi(child) then return child; end
	end
	return nil;
end

local function has_invite(stanza)
	for _, child in ipairs(stanza.tags) do
		if is_invite[child.attr.xmlns] == child.name then return true; end
	end
	return false;
end

-- Looked at first, so that what is no call costs little.
local function may_be_call(stanza)
	local type = stanza.attr.type;
	if stanza.name == "iq" then
		return type ~= "get" and (type ~= "set"
			or stanza:get_child("jingle", xmlns_jingle) ~= nil);
	end
	if type == "error" then return true; end
	for _, child in ipairs(stanza.tags) do
		local of = of_call[child.attr.xmlns];
		if of and (of == true or of == child.name) then return true; end
	end
	return false;
end

return {
	is_jmi_ns = is_jmi_ns, is_jmi = is_jmi, too_deep = too_deep,
	has_rtp = has_rtp, has_other = has_other, jmi_of = jmi_of,
	has_invite = has_invite, may_be_call = may_be_call,
};
