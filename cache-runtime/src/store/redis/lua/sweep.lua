-- Checks a random sample of an index set and drops the members whose entries are gone.
-- KEYS: set. ARGV: prefix of entries, sample size. Returns how many were dropped.
return drop_dead(KEYS[1], ARGV[1], redis.call('ZRANDMEMBER', KEYS[1], ARGV[2]))
