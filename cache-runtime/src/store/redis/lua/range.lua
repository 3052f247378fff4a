-- Reads the members of ranges of an index set, until a limit of members is reached.
-- KEYS: set. ARGV: mark of a complete set, limit, then from and to of each range.
-- Returns a list of members for each range that was read; the last may be cut off by the limit.
-- Returns nil if the set is incomplete or another type.
local mark = redis.pcall('ZSCORE', KEYS[1], ARGV[1])
if not mark or type(mark) == 'table' then
  return nil
end
local left = tonumber(ARGV[2])
local ranges = {}
for at = 3, #ARGV, 2 do
  if left <= 0 then
    break
  end
  local members = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[at], ARGV[at + 1], 'LIMIT', 0, left)
  left = left - #members
  ranges[#ranges + 1] = members
end
return ranges
