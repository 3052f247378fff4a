-- Registers keys that a walk met. Where something else than a set stands by now, the walk's mark is gone too, and its
-- end declares nothing whole.
-- KEYS: set. ARGV: members.
for at = 1, #ARGV do
  local added = redis.pcall('ZADD', KEYS[1], 0, ARGV[at])
  if type(added) == 'table' and not string.find(added.err, '^WRONGTYPE') then
    return added
  end
end
return 1
