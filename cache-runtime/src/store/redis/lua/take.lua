-- Takes a lease in place of exactly the bytes that were read: junk can't block a miss, and nothing that
-- came in between is overwritten. Followed by own.lua, and by
-- register.lua or `return 1`.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample size, lease, TTL in milliseconds, bytes that were
-- read ('' for an absent key or another type).
-- Returns 0 if something else is at the key; otherwise as register.lua.
local lease, ttl, expected = ARGV[5], ARGV[6], ARGV[7]
local current = redis.pcall('GET', KEYS[1])
if type(current) == 'table' then
  current = ''
end
-- The caller's own lease was taken by this very command, whose reply was lost.
if current and current ~= expected and current ~= lease then
  return 0
end
if current then
  leave(KEYS[1], current)
end
redis.call('SET', KEYS[1], lease, 'PX', ttl)
