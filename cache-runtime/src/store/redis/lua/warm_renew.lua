-- Extends the right to run a warmer, if the token still holds it.
-- KEYS: the warmer's. ARGV: token, TTL in milliseconds. Returns 1 if it was extended.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
