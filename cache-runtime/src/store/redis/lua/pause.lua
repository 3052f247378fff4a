-- Puts a pause in place of a claim on a value that still stands.
-- KEYS[1]: entry. ARGV: token, first bytes of a lease, milliseconds. Answers how many milliseconds the value stands; -1: the
-- claim doesn't any more.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
if type(head) == 'table' or string.sub(head, 1, 3) == ARGV[2] or string.sub(head, 17, 24) ~= ARGV[1] then
  return -1
end
local left = redis.call('PTTL', KEYS[1])
local ending = math.max(left - ARGV[3], 1)
redis.call('SETRANGE', KEYS[1], 16, string.rep('\0', 8) .. struct.pack('<I8', ending))
return left
