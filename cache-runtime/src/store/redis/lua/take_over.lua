-- Takes a lease whatever stands there. A value stays readable meanwhile if that is asked for: its header carries the
-- claim. Followed by register.lua.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample, lease, milliseconds, first bytes of a lease, token, '1' to keep
-- a value.
local start = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if ARGV[9] == '1' and type(start) == 'string' and #start == 3 and start ~= ARGV[7]
    and string.sub(start, 1, 2) == string.sub(ARGV[7], 1, 2) then
  local ending = math.max(redis.call('PTTL', KEYS[1]) - ARGV[6], 1)
  redis.call('SETRANGE', KEYS[1], 16, ARGV[8] .. struct.pack('<I8', ending))
else
  redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6])
end
