-- Registers a key that was leased just now: lease before index, since a sweep between index and lease would drop the
-- key. Then looks at a few other members and drops the dead; look and removal are one step.
-- KEYS: entry, set. ARGV: member, mark of a whole set, prefix of entries, how many others.
-- Answers 1, or 2 if the set isn't whole.
local added = redis.pcall('ZADD', KEYS[2], 0, ARGV[1])
if type(added) == 'table' then
  if not string.find(added.err, '^WRONGTYPE') then
    return added
  end
  -- Another type stands where only the set may.
  redis.call('UNLINK', KEYS[2])
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
end
for _, member in ipairs(redis.call('ZRANDMEMBER', KEYS[2], ARGV[4])) do
  if string.byte(member) ~= 0 and redis.call('EXISTS', ARGV[3] .. member) == 0 then
    redis.call('ZREM', KEYS[2], member)
  end
end
if redis.call('ZSCORE', KEYS[2], ARGV[2]) then
  return 1
end
return 2
