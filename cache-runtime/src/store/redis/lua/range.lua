-- The members of a range, if the set is whole; nil if it isn't, or is no set.
-- KEYS: set. ARGV: mark of a whole set, from, to, how many.
local mark = redis.pcall('ZSCORE', KEYS[1], ARGV[1])
if mark and type(mark) ~= 'table' then
  return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
end
return nil
