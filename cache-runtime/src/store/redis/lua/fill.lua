-- Stores an entry if the token still holds a lease, or the claim on the value that is being refreshed.
-- A contested lease of a write-through can't be filled.
-- KEYS: entry. ARGV: token, entry, TTL in milliseconds, '1' to keep tracking the key, owner or '', capacity of
-- an owner or -1, how long the account is needed in milliseconds, directory of owners or ''.
-- Returns 1 if it was stored, and 2 if the directory is incomplete besides.
local token, entry, ttl, track = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local owner, capacity, lasts, directory = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local bytes = header(KEYS[1])
-- A value with this token was stored by this very command, whose reply was lost.
if is_lease(bytes) or string.sub(bytes, TOKEN, TOKEN_END) ~= token then
  local held = held_by(token, bytes)
  if not held or held == 'lease' and string.byte(bytes, PURPOSE) == CONTESTED then
    return 0
  end
  local size = #entry + #KEYS[1]
  local accounts = owner ~= '' and accounts()
  if accounts then
    -- Without the lease in the account, the account was lost, and an invalidation of the owner may have
    -- missed the lease.
    local was_entered = accounts.is_entered(KEYS[1], owner)
    leave(KEYS[1], bytes)
    if not was_entered or capacity >= 0 and size > capacity then
      redis.call('UNLINK', KEYS[1])
      return 0
    end
    if capacity >= 0 then
      accounts.make_room(KEYS[1], owner, size, capacity)
    end
  elseif held == 'claim' then
    leave(KEYS[1], bytes)
  end
  redis.call('SET', KEYS[1], entry, 'PX', ttl)
  if accounts then
    accounts.enter(KEYS[1], owner, size, tonumber(ttl), lasts, directory)
  end
end
if track then
  -- A tracked connection hears of changes to keys that it has read since their last change.
  redis.call('STRLEN', KEYS[1])
end
if directory ~= '' and not redis.call('ZSCORE', directory, COMPLETE) then
  return 2
end
return 1
