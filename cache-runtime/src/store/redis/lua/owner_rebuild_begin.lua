-- Begins a rebuild of the directory of owners, unless it is complete.
-- KEYS: directory of owners. ARGV: mark of the rebuild. Returns 1 if a rebuild is needed.
if type(redis.pcall('ZCARD', KEYS[1])) == 'table' then
  redis.call('UNLINK', KEYS[1])
end
if redis.call('ZSCORE', KEYS[1], COMPLETE) then
  return 0
end
redis.call('ZADD', KEYS[1], 'inf', ARGV[1])
return 1
