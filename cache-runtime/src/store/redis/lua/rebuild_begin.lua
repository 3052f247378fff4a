-- Begins a rebuild of an index set, unless the set is complete: marks it as being built. Another type at
-- the set's key is deleted, since only the set may be there.
-- KEYS: set. ARGV: mark of this rebuild, mark of a complete set. Returns 1 if a rebuild is needed.
local complete = redis.pcall('ZSCORE', KEYS[1], ARGV[2])
if type(complete) == 'table' then
  redis.call('UNLINK', KEYS[1])
elseif complete then
  return 0
end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
return 1
