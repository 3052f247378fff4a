-- Takes the right to run a warmer.
-- KEYS: the warmer's. ARGV: token, TTL in milliseconds, '1' to respect the pause after the last run.
-- Returns 1 and the milliseconds that are left of that pause; or 0 and those after which to try again.
local token, ttl, is_patient = ARGV[1], ARGV[2], ARGV[3] == '1'
local held = redis.call('GET', KEYS[1])
local left = held and redis.call('PTTL', KEYS[1]) or 0
-- A key without a TTL isn't ours, and would block the warmer for ever. Its own token: the command is
-- executed for a second time, since its connection has ended before the reply.
if held and held ~= token and left > 0 and (held ~= 'done' or is_patient) then
  return {0, left}
end
redis.call('SET', KEYS[1], token, 'PX', ttl)
return {1, held == 'done' and math.max(left, 0) or 0}
