-- Stores an entry if the token still holds a lease, or the claim on the value that is being refreshed.
-- KEYS: entry. ARGV: token, entry, TTL in milliseconds, '1' to keep tracking the key.
-- Returns 1 if it was stored.
local token, entry, ttl, track = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local bytes = header(KEYS[1])
-- A value with this token was stored by this very command, whose reply was lost.
if is_lease(bytes) or string.sub(bytes, TOKEN, TOKEN_END) ~= token then
  if not held_by(token, bytes) then
    return 0
  end
  redis.call('SET', KEYS[1], entry, 'PX', ttl)
end
if track then
  -- A tracked connection hears of changes to keys that it has read since their last change.
  redis.call('STRLEN', KEYS[1])
end
return 1
