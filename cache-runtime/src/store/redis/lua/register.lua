-- Registers a key that was leased just now. The lease comes before the index: a sweep between index and
-- lease would drop the key. Then checks a few members and drops the dead.
-- KEYS: entry, set. ARGV: member, mark of a complete set, prefix of entries, number of members to
-- check.
-- Returns 1, or 2 if the set is incomplete.
local member, mark, prefix, sample = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local failure = add_member(KEYS[2], member)
if failure then
  return failure
end
if sample ~= '0' then
  drop_dead(KEYS[2], prefix, some_members(KEYS[2], tonumber(sample)))
end
if redis.call('ZSCORE', KEYS[2], mark) then
  return 1
end
return 2
