-- Looks at random members and drops those whose entries are gone; look and removal are one step.
-- KEYS: set. ARGV: prefix of entries, how many. Answers how many were dropped.
local dead = 0
for _, member in ipairs(redis.call('ZRANDMEMBER', KEYS[1], ARGV[2])) do
  if string.byte(member) ~= 0 and redis.call('EXISTS', ARGV[1] .. member) == 0 then
    dead = dead + redis.call('ZREM', KEYS[1], member)
  end
end
return dead
