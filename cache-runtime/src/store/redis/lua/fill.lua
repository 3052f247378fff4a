-- Stores an entry if its token still stands: in a lease, or as the claim on the value that is being refreshed.
-- KEYS[1]: entry. ARGV: token, entry, milliseconds, first bytes of a lease, '1' to go on hearing of changes. Answers 1 if it
-- was stored.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
if type(head) == 'table' then
  return 0
end
local own = string.sub(head, 9, 16)
local is_lease = string.sub(head, 1, 3) == ARGV[4]
-- A value with this token was stored by this very command, whose reply was lost.
if is_lease or own ~= ARGV[1] then
  if (is_lease and own or string.sub(head, 17, 24)) ~= ARGV[1] then
    return 0
  end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if ARGV[5] == '1' then
  -- A tracked connection hears of changes to what it has read since the last one.
  redis.call('STRLEN', KEYS[1])
end
return 1
