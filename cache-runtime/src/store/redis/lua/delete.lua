-- Deletes entries and their members in one step, and counts the values.
-- KEYS: set, entries. ARGV: first bytes of a lease, members.
local removed = 0
for at = 2, #KEYS do
  local start = redis.pcall('GETRANGE', KEYS[at], 0, 2)
  if redis.call('UNLINK', KEYS[at]) == 1 and start ~= ARGV[1] then
    removed = removed + 1
  end
  -- What isn't a set is found out, and answered by a walk, where it is read.
  redis.pcall('ZREM', KEYS[1], ARGV[at])
end
return removed
