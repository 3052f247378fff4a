-- Lengthens a lease, or a claim on a value, that still stands.
-- KEYS[1]: entry. ARGV: token, first bytes of a lease, milliseconds.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
if type(head) == 'table' then
  return 0
end
if string.sub(head, 1, 3) == ARGV[2] then
  if string.sub(head, 9, 16) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1
  end
elseif string.sub(head, 17, 24) == ARGV[1] then
  local ending = math.max(redis.call('PTTL', KEYS[1]) - ARGV[3], 1)
  redis.call('SETRANGE', KEYS[1], 24, struct.pack('<I8', ending))
  return 1
end
return 0
