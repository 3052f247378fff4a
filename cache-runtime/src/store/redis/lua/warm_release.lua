-- Gives the right to run a warmer back, if the token still holds it, and leaves a pause in its place.
-- KEYS: the warmer's. ARGV: token, pause in milliseconds or 0. Returns 1 if the token held it.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('UNLINK', KEYS[1])
else
  redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
end
return 1
