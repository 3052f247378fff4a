-- Adds calls to those of owners.
-- KEYS: calls of each owner. ARGV: TTL of the calls in milliseconds, then hits and misses of each owner.
for at = 1, #KEYS do
  if type(redis.pcall('HLEN', KEYS[at])) == 'table' then
    redis.call('UNLINK', KEYS[at])
  end
  redis.call('HINCRBY', KEYS[at], 'hits', ARGV[2 * at])
  redis.call('HINCRBY', KEYS[at], 'misses', ARGV[2 * at + 1])
  redis.call('PEXPIRE', KEYS[at], ARGV[1])
end
return 1
