-- Takes a lease whatever stands there, and registers the key. A value stays readable meanwhile if that is asked for:
-- its header carries the token.
-- KEYS: entry, set. ARGV: first bytes of a lease, token, lease, milliseconds, member, mark, '1' to keep a value.
-- Answers 1, or 2 if the set isn't whole.
local start = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if ARGV[7] == '1' and type(start) == 'string' and #start == 3 and start ~= ARGV[1]
    and string.sub(start, 1, 2) == string.sub(ARGV[1], 1, 2) then
  redis.call('SETRANGE', KEYS[1], 8, ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
redis.call('ZADD', KEYS[2], 0, ARGV[5])
if redis.call('ZSCORE', KEYS[2], ARGV[6]) then
  return 1
end
return 2
