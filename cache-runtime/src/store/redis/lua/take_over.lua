-- Takes a lease, whatever is at the key. A value can stay readable meanwhile: its header then carries the
-- token as a claim. Followed by register.lua, or by `return 1`.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample size, lease, TTL in milliseconds, token, '1' to
-- keep a value.
local lease, ttl, token, keep = ARGV[5], ARGV[6], ARGV[7], ARGV[8] == '1'
local bytes = header(KEYS[1])
if keep and is_value(bytes) then
  set_claim(KEYS[1], token, claim_expiry(redis.call('PTTL', KEYS[1]), ttl))
else
  leave(KEYS[1], bytes)
  redis.call('SET', KEYS[1], lease, 'PX', ttl)
end
