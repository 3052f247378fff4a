-- Extends a lease, or a claim on a value, that the token still holds.
-- KEYS: entry. ARGV: token, TTL in milliseconds. Returns 1 if it was extended.
local token, ttl = ARGV[1], ARGV[2]
local held = held_by(token, header(KEYS[1]))
if held == 'lease' then
  redis.call('PEXPIRE', KEYS[1], ttl)
elseif held == 'claim' then
  set_claim(KEYS[1], token, claim_expiry(redis.call('PTTL', KEYS[1]), ttl))
else
  return 0
end
return 1
