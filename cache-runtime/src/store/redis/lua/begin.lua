-- Begins a walk, unless the set is whole: marks it as being built. What isn't a set stands where only ours may, and goes.
-- KEYS: set. ARGV: mark of this walk, mark of a whole set. Answers 1 if a walk is needed.
local whole = redis.pcall('ZSCORE', KEYS[1], ARGV[2])
if type(whole) == 'table' then
  redis.call('UNLINK', KEYS[1])
elseif whole then
  return 0
end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
return 1
