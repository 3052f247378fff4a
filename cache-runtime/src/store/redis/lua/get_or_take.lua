-- Reads a key, and takes a lease if there is no string: the look and the lease of a miss in one step.
-- Followed by own.lua, and by register.lua or `return 1`.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample size, lease, TTL in milliseconds.
-- Returns the string that is at the key; otherwise as register.lua.
local lease, ttl = ARGV[5], ARGV[6]
local current = redis.pcall('GET', KEYS[1])
-- The caller's own lease was taken by this very command, whose reply was lost.
if type(current) == 'string' and current ~= lease then
  return current
end
redis.call('SET', KEYS[1], lease, 'PX', ttl)
