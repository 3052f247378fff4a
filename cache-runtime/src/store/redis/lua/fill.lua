-- Stores an entry if its token still stands: in a lease, or in the header of the value that is being refreshed.
-- KEYS[1]: entry. ARGV: token, entry, milliseconds.
if redis.pcall('GETRANGE', KEYS[1], 8, 15) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
