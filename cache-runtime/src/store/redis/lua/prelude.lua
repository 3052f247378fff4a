-- What every script knows of an entry's header and of the index. Positions count from 1, as Lua does;
-- `entry/header.rs` counts from 0, and a test in `lua/mod.rs` checks that both agree.
local MAGIC_END, KIND = 2, 3
local TOKEN, TOKEN_END = 9, 16
local CLAIM, CLAIM_END = 17, 24
local CLAIM_EXPIRY, CLAIM_EXPIRY_END = 25, 32
local GRACE, GRACE_END = 49, 56
-- The first bytes of every lease: magic, format, kind.
local LEASE = '\202\002\002'

-- The first bytes of the string at a key; '' if there is none, or another type.
local function header(key)
  local bytes = redis.pcall('GETRANGE', key, 0, GRACE_END - 1)
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

-- The PTTL that an entry will have when a claim made now has lasted that long. At least 1, since 0
-- means that there is no claim.
local function claim_expiry(pttl, milliseconds)
  return struct.pack('<I8', math.max(pttl - milliseconds, 1))
end

local function set_claim(key, token, expiry)
  redis.call('SETRANGE', key, CLAIM - 1, token .. expiry)
end

-- Adds a member to an index set. Another type at the set's key is replaced, since only the set may be
-- there. Returns an error, or nothing.
local function add_member(set, member)
  local added = redis.pcall('ZADD', set, 0, member)
  if type(added) ~= 'table' then
    return nil
  end
  if not string.find(added.err, '^WRONGTYPE') then
    return added
  end
  redis.call('UNLINK', set)
  redis.call('ZADD', set, 0, member)
  return nil
end

-- Drops the members of a random sample whose entries are gone. Check and removal are one step;
-- otherwise a key that was leased in between would leave the index. Marks begin with a NUL and stay.
local function drop_dead(set, prefix, sample)
  local dropped = 0
  for _, member in ipairs(redis.call('ZRANDMEMBER', set, sample)) do
    if string.byte(member) ~= 0 and redis.call('EXISTS', prefix .. member) == 0 then
      dropped = dropped + redis.call('ZREM', set, member)
    end
  end
  return dropped
end
