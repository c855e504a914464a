-- refusals.lib.lua: what the module refuses, in the log: the first at once,
-- then one line in ten seconds with how many there were of each reason
-- (doc/protocol.md, Refused).

local EVERY = 10; -- seconds

local unsaid = {}; -- [why] = count
local more, total = 0, 0; -- not logged yet; of all
local last; -- who asked for it
local running = false;

local function by_reason()
	local list = {};
	for why, count in pairs(unsaid) do
		list[#list + 1] = { why = why, count = count };
	end
	table.sort(list, function (a, b)
		if a.count ~= b.count then return a.count > b.count; end
		return a.why < b.why;
	end);
	for i, entry in ipairs(list) do
		list[i] = ("%s %d"):format(entry.why, entry.count);
	end
	return table.concat(list, ", ");
end

-- Whether there was anything to say.
local function say()
	if more == 0 then return false; end
	module:log("warn", "Refused %d more in %d s: %s; the last asked by %s; "
		.. "%d since the module was loaded", more, EVERY, by_reason(), last,
		total);
	unsaid, more = {}, 0;
	return true;
end

local function tick()
	running = say();
	return running and EVERY or nil;
end

local function note(why, asker)
	total = total + 1;
	if not running then
		module:log("warn", "Refused what %s asked (%s)", asker, why);
		running = true;
		module:add_timer(EVERY, tick);
		return;
	end
	unsaid[why] = (unsaid[why] or 0) + 1;
	more, last = more + 1, asker;
end

return { note = note, say = say };
