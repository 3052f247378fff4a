-- Takes a lease in place of exactly the bytes that were seen, so that no miss is wedged by junk and none
-- overwrites what came meanwhile; then registers the key. Lease before index: if the index were first, a sweep
-- between the two could drop the key.
-- KEYS: entry, set. ARGV: bytes seen ('' for nothing or no string), lease, milliseconds, member, mark, prefix, sample.
-- Answers 0: something else stands there; 1: taken; 2: taken, and the set isn't whole.
local standing = redis.pcall('GET', KEYS[1])
if type(standing) == 'table' then
  standing = ''
end
if standing and standing ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], 0, ARGV[4])
for _, member in ipairs(redis.call('ZRANDMEMBER', KEYS[2], ARGV[7])) do
  if string.byte(member) ~= 0 and redis.call('EXISTS', ARGV[6] .. member) == 0 then
    redis.call('ZREM', KEYS[2], member)
  end
end
if redis.call('ZSCORE', KEYS[2], ARGV[5]) then
  return 1
end
return 2
