-- Takes the lease of a write-through, whatever is at the key. If another write-through holds a lease, the
-- new one is contested: it can't be filled, and the other's token is gone. Followed by register.lua, or by
-- `return 1`.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample size, lease, TTL in milliseconds, token, lease if
-- contested.
local lease, ttl, token, contested = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local bytes = header(KEYS[1])
-- The caller's own lease, contested or not, was taken by this very command, whose reply was lost.
if held_by(token, bytes) ~= 'lease' then
  if is_lease(bytes) and string.byte(bytes, PURPOSE) ~= READ then
    lease = contested
  end
  leave(KEYS[1], bytes)
  redis.call('SET', KEYS[1], lease, 'PX', ttl)
end
