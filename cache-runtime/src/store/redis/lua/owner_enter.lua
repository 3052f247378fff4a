-- Enters values that a scan met into their owners' accounts, unless they are there.
-- KEYS: directory of owners, entries.
local accounts = accounts()
for at = 2, #KEYS do
  local owner = owner_of(KEYS[at], header(KEYS[at]))
  local left = redis.call('PTTL', KEYS[at])
  if owner and left > 0 and not accounts.is_entered(KEYS[at], owner) then
    accounts.enter(KEYS[at], owner, redis.call('STRLEN', KEYS[at]) + #KEYS[at], left, 0, KEYS[1])
  end
end
return 1
