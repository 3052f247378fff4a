-- Gives a lease back, or a claim on a value, which stays unless it is outdated.
-- KEYS[1]: entry. ARGV: token, first bytes of a lease, '1' if a value is outdated.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
if type(head) == 'table' then
  return 0
end
if string.sub(head, 1, 3) == ARGV[2] then
  if string.sub(head, 9, 16) == ARGV[1] then
    redis.call('UNLINK', KEYS[1])
    return 1
  end
elseif string.sub(head, 17, 24) == ARGV[1] then
  if ARGV[3] == '1' then
    redis.call('UNLINK', KEYS[1])
  else
    redis.call('SETRANGE', KEYS[1], 16, string.rep('\0', 16))
  end
  return 1
end
return 0
