-- Helpers for claims. A claim is a token in the header of a value that is being refreshed.

-- The PTTL that an entry will have when a claim made now has lasted that long. At least 1, since 0
-- means that there is no claim.
local function claim_expiry(pttl, milliseconds)
  return struct.pack('<I8', math.max(pttl - milliseconds, 1))
end

local function set_claim(key, token, expiry)
  redis.call('SETRANGE', key, CLAIM - 1, token .. expiry)
end
