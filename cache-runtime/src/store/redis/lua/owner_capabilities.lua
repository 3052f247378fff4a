-- Runs every command that scripts need for owners besides those of capabilities.lua, on keys of the probe's
-- own, and leaves nothing behind.
-- KEYS: keys of the probe's own. ARGV: TTL in milliseconds.
-- Returns nil, or the name of the command that failed and its error.
local function failure(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply['err'] then
    return {name, reply['err']}
  end
end
for _, key in ipairs(KEYS) do
  local failed = failure('TIME')
    or failure('HSET', key, 'field', 1)
    or failure('PEXPIRE', key, ARGV[1])
    or failure('HINCRBY', key, 'field', 1)
    or failure('HGET', key, 'field')
    or failure('HLEN', key)
    or failure('HDEL', key, 'field')
    or failure('STRLEN', key)
    or failure('ZADD', key, 1, 'member')
    or failure('PEXPIRE', key, ARGV[1])
    or failure('ZCARD', key)
    or failure('ZRANGE', key, 0, 0)
    or failure('ZRANGEBYSCORE', key, '-inf', 'inf')
    or failure('ZREMRANGEBYSCORE', key, '-inf', '0')
    or failure('UNLINK', key)
  if failed then
    return failed
  end
end
return nil
