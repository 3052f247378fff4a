-- Ends a walk: sets that still carry its mark are whole. One that was lost meanwhile doesn't, and isn't. The marks of
-- other walks go too: what is whole needs them no more, and those that were cut short leave theirs behind.
-- KEYS: sets. ARGV: mark of this walk, mark of a whole set, range of the marks of all walks.
for _, set in ipairs(KEYS) do
  if redis.pcall('ZREM', set, ARGV[1]) == 1 then
    redis.call('ZADD', set, 0, ARGV[2])
    redis.call('ZREMRANGEBYLEX', set, ARGV[3], ARGV[4])
  end
end
return 1
