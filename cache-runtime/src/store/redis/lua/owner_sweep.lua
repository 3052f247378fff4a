-- Deletes the accounts of a few owners whose keys have all expired.
-- KEYS: directory of owners.
if type(redis.pcall('ZCARD', KEYS[1])) == 'table' then
  return 0
end
local accounts = accounts()
accounts.drop_idle(KEYS[1], accounts.milliseconds())
return 0
