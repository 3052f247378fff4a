-- Helpers for the header of an entry, in every script. Redis runs this at each call of a script, and each
-- function takes time, so the helpers of some scripts are in claims.lua, index.lua and accounts.lua. Positions
-- count from 1, as Lua does; `entry/header.rs` counts from 0, and a test in `lua/mod.rs` checks that both agree.
local MAGIC_END, KIND, PURPOSE = 2, 3, 4
local TOKEN, TOKEN_END = 9, 16
local CLAIM, CLAIM_END = 17, 24
local CLAIM_EXPIRY, CLAIM_EXPIRY_END = 25, 32
local GRACE, GRACE_END = 49, 56
local OWNER, OWNER_END = 62, 63
-- The first bytes of every lease: magic, format, kind. Its purpose follows.
local LEASE = '\202\002\002'
local READ, CONTESTED = 0, 2

-- The first bytes of the string at a key; '' if there is none, or another type.
local function header(key)
  local bytes = redis.pcall('GETRANGE', key, 0, OWNER_END - 1)
  if type(bytes) == 'table' then
    return ''
  end
  return bytes
end

local function is_lease(bytes)
  return string.sub(bytes, 1, KIND) == LEASE
end

-- Whether the bytes begin an entry that is not a lease.
local function is_value(bytes)
  return #bytes >= KIND and string.sub(bytes, 1, MAGIC_END) == string.sub(LEASE, 1, MAGIC_END)
    and not is_lease(bytes)
end

-- What a token holds: 'lease', 'claim' (on a value that is being refreshed), or nothing.
local function held_by(token, bytes)
  if is_lease(bytes) then
    return string.sub(bytes, TOKEN, TOKEN_END) == token and 'lease'
  end
  return string.sub(bytes, CLAIM, CLAIM_END) == token and 'claim'
end
