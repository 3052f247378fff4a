-- The members of a range, if the set is whole; nil if it isn't.
-- KEYS: set. ARGV: mark of a whole set, from, to, how many.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
end
return nil
