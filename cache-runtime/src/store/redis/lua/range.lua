-- Reads the members of a range of an index set.
-- KEYS: set. ARGV: mark of a complete set, from, to, limit.
-- Returns the members, or nil if the set is incomplete or another type.
local mark = redis.pcall('ZSCORE', KEYS[1], ARGV[1])
if mark and type(mark) ~= 'table' then
  return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
end
return nil
