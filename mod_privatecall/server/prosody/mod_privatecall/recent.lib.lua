-- recent.lib.lua: a map that remembers what was set or read last: an entry
-- outlives `size` others, and there are two times as many at most.
--
-- util.cache does that too, with a table to each entry. What changes while
-- Lua's collector is at work it looks at again in one go, in which the server
-- does nothing else: tens of thousands of entries took milliseconds. Here an
-- entry is a place in one of two plain tables, only the younger one changes.

return function (size)
	local young, old, count = {}, {}, 0;
	local map = {};

	-- nil: forgets it.
	function map.set(_, key, value)
		if value == nil then
			young[key], old[key] = nil, nil;
			return;
		end
		if young[key] == nil then count = count + 1; end
		if count > size then
			young, old, count = {}, young, 1;
		end
		young[key] = value;
	end

	function map.get(_, key)
		local value = young[key];
		if value == nil then
			value = old[key];
			if value ~= nil then map:set(key, value); end
		end
		return value;
	end

	-- All entries, in a table of its own.
	function map.all()
		local all = {};
		for key, value in pairs(old) do all[key] = value; end
		for key, value in pairs(young) do all[key] = value; end
		return all;
	end

	return map;
end
