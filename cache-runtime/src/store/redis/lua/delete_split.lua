-- Deletes an entry whose members are on another node.
-- KEYS: entry. Returns 1 if it was not a lease, otherwise 0, and its first bytes; nil if the key was absent.
local bytes = header(KEYS[1])
leave(KEYS[1], bytes)
if redis.call('UNLINK', KEYS[1]) == 0 then
  return nil
end
return {is_lease(bytes) and 0 or 1, string.sub(bytes, 1, CLAIM_END)}
