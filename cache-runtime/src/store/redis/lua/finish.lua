-- Ends a walk: a set that still carries its mark is whole. One that was lost meanwhile doesn't, and isn't. The marks of
-- other walks go too: what is whole needs them no more, and those that were cut short leave theirs behind. So do those
-- of what was whole to other masters.
-- KEYS: set. ARGV: mark of this walk, mark of a whole set, range of the marks of all walks, range of such other marks.
if redis.pcall('ZREM', KEYS[1], ARGV[1]) == 1 then
  redis.call('ZREMRANGEBYLEX', KEYS[1], ARGV[3], ARGV[4])
  redis.call('ZREMRANGEBYLEX', KEYS[1], ARGV[5], ARGV[6])
  redis.call('ZADD', KEYS[1], 0, ARGV[2])
end
return 1
