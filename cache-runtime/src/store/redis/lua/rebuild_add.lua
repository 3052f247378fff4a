-- Registers keys that a rebuild met. If another type has replaced the set, the rebuild's mark is gone too,
-- so its end won't declare the set complete.
-- KEYS: set. ARGV: members.
for at = 1, #ARGV do
  local added = redis.pcall('ZADD', KEYS[1], 0, ARGV[at])
  if type(added) == 'table' and not string.find(added.err, '^WRONGTYPE') then
    return added
  end
end
return 1
