-- Ends a rebuild: a set that still carries the rebuild's mark is complete. A set that was lost in between
-- doesn't carry it. The marks of other rebuilds go too, since a complete set needs none and interrupted
-- rebuilds leave theirs behind; so do marks of sets that were complete to other masters.
-- KEYS: set. ARGV: mark of this rebuild, mark of a complete set, range of all rebuilds' marks, range of
-- other masters' marks.
if redis.pcall('ZREM', KEYS[1], ARGV[1]) == 1 then
  redis.call('ZREMRANGEBYLEX', KEYS[1], ARGV[3], ARGV[4])
  redis.call('ZREMRANGEBYLEX', KEYS[1], ARGV[5], ARGV[6])
  redis.call('ZADD', KEYS[1], 0, ARGV[2])
end
return 1
