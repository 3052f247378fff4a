-- Registers a key that was leased on another node just now. The lease comes before the index: a sweep
-- between index and lease would drop the member.
-- KEYS: set. ARGV: member, mark of a complete set, sample size.
-- Returns 1, or 2 if the set is incomplete; and some members, whose entries may be gone.
local member, mark, sample = ARGV[1], ARGV[2], ARGV[3]
local failure = add_member(KEYS[1], member)
if failure then
  return failure
end
local answer = 2
if redis.call('ZSCORE', KEYS[1], mark) then
  answer = 1
end
return {answer, redis.call('ZRANDMEMBER', KEYS[1], sample)}
