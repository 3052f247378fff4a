-- Gives a lease back. A value that was being refreshed stays.
-- KEYS[1]: entry. ARGV: token, first bytes of a lease.
if redis.pcall('GETRANGE', KEYS[1], 8, 15) ~= ARGV[1] then
  return 0
end
if redis.call('GETRANGE', KEYS[1], 0, 2) == ARGV[2] then
  redis.call('UNLINK', KEYS[1])
end
return 1
