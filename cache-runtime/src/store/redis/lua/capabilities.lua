-- Runs every command that the other scripts run, on keys of the probe's own, and leaves nothing behind.
-- KEYS: keys of the probe's own. ARGV: TTL in milliseconds.
-- Returns nil, or the name of the command that failed and its error.
local function failure(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply['err'] then
    return {name, reply['err']}
  end
end
for _, key in ipairs(KEYS) do
  local failed = failure('SET', key, 1, 'PX', ARGV[1])
    or failure('GET', key)
    or failure('GETRANGE', key, 0, 0)
    or failure('SETRANGE', key, 0, 2)
    or failure('PEXPIRE', key, ARGV[1])
    or failure('PTTL', key)
    or failure('EXISTS', key)
    or failure('UNLINK', key)
    or failure('ZADD', key, 0, 'member')
    or failure('PEXPIRE', key, ARGV[1])
    or failure('ZSCORE', key, 'member')
    or failure('ZRANDMEMBER', key, 1)
    or failure('ZRANGEBYLEX', key, '-', '+')
    or failure('ZREMRANGEBYLEX', key, '-', '(member')
    or failure('ZREM', key, 'member')
    or failure('UNLINK', key)
  if failed then
    return failed
  end
end
return nil
