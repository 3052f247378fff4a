-- Reads the first bytes at a key, to the end of the claim.
-- KEYS: entry. Returns '' for another type, nil if the key is absent.
local bytes = header(KEYS[1])
if bytes == '' and redis.call('EXISTS', KEYS[1]) == 0 then
  return nil
end
return string.sub(bytes, 1, CLAIM_END)
