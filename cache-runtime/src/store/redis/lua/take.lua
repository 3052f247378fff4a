-- Takes a lease in place of exactly the bytes that were seen, so that no miss is wedged by junk and none
-- overwrites what came meanwhile. Followed by register.lua.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample, lease, milliseconds, bytes seen ('' for nothing or no string).
-- Answers 0: something else stands there; else as register.lua.
local standing = redis.pcall('GET', KEYS[1])
if type(standing) == 'table' then
  standing = ''
end
-- The caller's own lease is one that it took by this very command, whose reply was lost.
if standing and standing ~= ARGV[7] and standing ~= ARGV[5] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6])
