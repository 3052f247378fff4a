-- Reads and writes, as calls do.
-- KEYS: a key of the probe's own. ARGV: TTL in milliseconds.
redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
return 1
