-- Takes a lease whatever stands there. A value stays readable meanwhile: its header carries the token.
-- KEYS[1]: entry. ARGV: first bytes of a lease, token, lease, milliseconds.
local start = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if type(start) == 'string' and #start == 3 and start ~= ARGV[1]
    and string.sub(start, 1, 2) == string.sub(ARGV[1], 1, 2) then
  redis.call('SETRANGE', KEYS[1], 8, ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
return 1
