-- Lengthens a lease that still stands. A value that is being refreshed has its own lifetime.
-- KEYS[1]: entry. ARGV: token, first bytes of a lease, milliseconds.
if redis.pcall('GETRANGE', KEYS[1], 8, 15) ~= ARGV[1] then
  return 0
end
if redis.call('GETRANGE', KEYS[1], 0, 2) == ARGV[2] then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
