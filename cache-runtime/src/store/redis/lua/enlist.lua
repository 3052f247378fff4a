-- Registers keys that a walk met. Where something else than a set stands by now, the walk's mark is gone too, and its
-- end declares nothing whole.
-- KEYS: sets. ARGV: number of a set from 1, member, and so on.
for at = 1, #ARGV, 2 do
  local added = redis.pcall('ZADD', KEYS[tonumber(ARGV[at])], 0, ARGV[at + 1])
  if type(added) == 'table' and not string.find(added.err, '^WRONGTYPE') then
    return added
  end
end
return 1
