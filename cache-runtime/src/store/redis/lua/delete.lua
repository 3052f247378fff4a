-- Deletes entries and their members in one step.
-- KEYS: set, entries. ARGV: members, in the order of the entries. Returns how many were not leases.
local removed = 0
for at = 2, #KEYS do
  local bytes = header(KEYS[at])
  if redis.call('UNLINK', KEYS[at]) == 1 and not is_lease(bytes) then
    removed = removed + 1
  end
  -- Another type at the set's key is noticed where the set is read, and repaired by a rebuild.
  redis.pcall('ZREM', KEYS[1], ARGV[at - 1])
end
return removed
