-- Deletes entries and their members in one step.
-- KEYS: set, entries. ARGV: members, in the order of the entries.
-- Returns for each entry 1 if it was a value, otherwise 0 (a lease, or absent).
local removed = {}
for at = 2, #KEYS do
  local bytes = header(KEYS[at])
  leave(KEYS[at], bytes)
  local deleted = redis.call('UNLINK', KEYS[at])
  removed[at - 1] = is_lease(bytes) and 0 or deleted
  -- Another type at the set's key is noticed where the set is read, and repaired by a rebuild.
  redis.pcall('ZREM', KEYS[1], ARGV[at - 1])
end
return removed
