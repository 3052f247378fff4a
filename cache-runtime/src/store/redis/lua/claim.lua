-- Claims a value for a refresh, if it is still the value that was read and carries no other claim and no
-- pause. The value stays readable. Followed by register.lua, or by `return 1`.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample size, lease, TTL of the claim in milliseconds,
-- token, token of the fill that was read.
-- Returns -1 for another value or none, 0 if it is claimed or paused; otherwise as register.lua.
local ttl, token, fill = ARGV[6], ARGV[7], ARGV[8]
local bytes = header(KEYS[1])
if #bytes < CLAIM_EXPIRY_END or not is_value(bytes) or string.sub(bytes, TOKEN, TOKEN_END) ~= fill then
  return -1
end
local left = redis.call('PTTL', KEYS[1])
local expiry = struct.unpack('<I8', bytes, CLAIM_EXPIRY)
-- The caller's own claim was made by this very command, whose reply was lost.
if expiry ~= 0 and left > expiry and held_by(token, bytes) ~= 'claim' then
  return 0
end
set_claim(KEYS[1], token, claim_expiry(left, ttl))
