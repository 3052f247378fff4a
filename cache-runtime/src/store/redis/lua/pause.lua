-- Replaces a claim by a pause, a claim that no token holds.
-- KEYS: entry. ARGV: token, length of the pause in milliseconds.
-- Returns the value's PTTL, or -1 if the token holds no claim.
local token, length = ARGV[1], ARGV[2]
if held_by(token, header(KEYS[1])) ~= 'claim' then
  return -1
end
local left = redis.call('PTTL', KEYS[1])
set_claim(KEYS[1], string.rep('\0', 8), claim_expiry(left, length))
return left
