-- Adds calls to those of an owner, and reads its calls, entries and bytes.
-- KEYS: sizes, ages and expiries of the account; calls. ARGV: hits, misses, TTL of the calls in milliseconds,
-- how many expired keys to take out of the account at most.
-- Returns entries, bytes, hits, misses, and 1 if further expired keys may be left.
local accounts = accounts()
local account = {sizes = KEYS[1], ages = KEYS[2], expiries = KEYS[3]}
local hits, misses, ttl, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
accounts.mend(account)
if type(redis.pcall('HLEN', KEYS[4])) == 'table' then
  redis.call('UNLINK', KEYS[4])
end
if hits + misses > 0 then
  redis.call('HINCRBY', KEYS[4], 'hits', hits)
  redis.call('HINCRBY', KEYS[4], 'misses', misses)
  redis.call('PEXPIRE', KEYS[4], ttl)
end
local left = accounts.purge(account, accounts.milliseconds(), limit) == limit
return {
  redis.call('ZCARD', KEYS[2]),
  tonumber(redis.call('HGET', KEYS[1], TOTAL)) or 0,
  tonumber(redis.call('HGET', KEYS[4], 'hits')) or 0,
  tonumber(redis.call('HGET', KEYS[4], 'misses')) or 0,
  left and 1 or 0,
}
