-- Claims a value for one who computes it anew, if it still is the one that was seen, and neither another's claim nor a
-- pause stands. The value stays readable. Followed by register.lua.
-- KEYS: entry, set. ARGV: member, mark, prefix, sample, lease, milliseconds, first bytes of a lease, token, token of the
-- fill that was seen.
-- Answers -1: another value, or none; 0: it is claimed, or paused; else as register.lua.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 31)
if type(head) == 'table' or #head < 32 or string.sub(head, 1, 2) ~= string.sub(ARGV[7], 1, 2)
    or string.sub(head, 1, 3) == ARGV[7] or string.sub(head, 9, 16) ~= ARGV[9] then
  return -1
end
local left = redis.call('PTTL', KEYS[1])
local ending = struct.unpack('<I8', head, 25)
-- The caller's own claim is one that it made by this very command, whose reply was lost.
if ending ~= 0 and left > ending and string.sub(head, 17, 24) ~= ARGV[8] then
  return 0
end
redis.call('SETRANGE', KEYS[1], 16, ARGV[8] .. struct.pack('<I8', math.max(left - ARGV[6], 1)))
