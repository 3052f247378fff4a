-- Ends a rebuild of the directory of owners: it is complete if it still carries the rebuild's mark. A directory
-- that was lost in between, or that lost an account, doesn't carry it.
-- KEYS: directory of owners. ARGV: mark of the rebuild.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], 'inf', 'inf')
  redis.call('ZADD', KEYS[1], 'inf', COMPLETE)
end
return 1
