-- Ends a walk: sets that still carry its mark are whole. One that was lost meanwhile doesn't, and isn't.
-- KEYS: sets. ARGV: mark of this walk, mark of a whole set.
for _, set in ipairs(KEYS) do
  if redis.call('ZREM', set, ARGV[1]) == 1 then
    redis.call('ZADD', set, 0, ARGV[2])
  end
end
return 1
