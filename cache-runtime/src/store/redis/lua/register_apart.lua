-- Registers a key that was leased on another node before: lease before index, since a sweep between index and lease
-- would drop the member.
-- KEYS: set. ARGV: member, mark of a whole set, how many others. Answers 1, or 2 if the set isn't whole; and some
-- members, whose entries may be gone.
local added = redis.pcall('ZADD', KEYS[1], 0, ARGV[1])
if type(added) == 'table' then
  if not string.find(added.err, '^WRONGTYPE') then
    return added
  end
  -- Another type stands where only the set may.
  redis.call('UNLINK', KEYS[1])
  redis.call('ZADD', KEYS[1], 0, ARGV[1])
end
local answer = 2
if redis.call('ZSCORE', KEYS[1], ARGV[2]) then
  answer = 1
end
return {answer, redis.call('ZRANDMEMBER', KEYS[1], ARGV[3])}
