-- Begins a walk, unless every set is whole: marks the sets as being built. What isn't a set stands where only ours
-- may, and goes.
-- KEYS: sets. ARGV: mark of this walk, mark of a whole set. Answers 1 if a walk is needed.
local whole = true
for _, set in ipairs(KEYS) do
  local mark = redis.pcall('ZSCORE', set, ARGV[2])
  if type(mark) == 'table' then
    redis.call('UNLINK', set)
    mark = false
  end
  whole = whole and mark
end
if whole then
  return 0
end
for _, set in ipairs(KEYS) do
  redis.call('ZADD', set, 0, ARGV[1])
end
return 1
