-- Helpers for the accounts of owners.
-- Fields of `sizes` that aren't keys. A key contains a `:`.
local TOTAL, NEXT = 'total', 'next'
-- The member of a directory of owners that knows every account.
local COMPLETE = '\0whole'

-- The owner of the value that begins with these bytes, or nil. It is at the end of the value.
local function owner_of(key, bytes)
  if #bytes < OWNER_END or not is_value(bytes) then
    return nil
  end
  local length = struct.unpack('<I2', bytes, OWNER)
  return length > 0 and redis.call('GETRANGE', key, -length, -1) or nil
end

-- Creates the functions over accounts, only when a script needs them: few entries have an owner.
local function accounts()
  -- The account of an owner: the size of each of its keys, 0 for a lease, with the total as another field;
  -- its values by age; all its keys by the time of their expiry. In a cluster all of them are on one node.
  local function account_of(key, owner)
    local start = string.match(key, '^[^:#]*') .. '#owner:{' .. owner .. '}:'
    return {sizes = start .. 'sizes', ages = start .. 'ages', expiries = start .. 'expiries'}
  end

  local function milliseconds()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
  end

  -- Takes a key out of an account. Only here and in `enter` does an account change.
  local function strike(account, key)
    local size = redis.pcall('HGET', account.sizes, key)
    if not size or type(size) == 'table' then
      return
    end
    redis.call('HDEL', account.sizes, key)
    redis.call('HINCRBY', account.sizes, TOTAL, 0 - size)
    redis.pcall('ZREM', account.ages, key)
    redis.pcall('ZREM', account.expiries, key)
  end

  -- Takes keys that have expired out of an account. Returns how many were due, at most `limit`. A lease that
  -- was renewed expires later than the account knows.
  local function purge(account, now, limit)
    local due = redis.call('ZRANGEBYSCORE', account.expiries, '-inf', now, 'LIMIT', 0, limit)
    for _, key in ipairs(due) do
      local left = redis.call('PTTL', key)
      if left > 0 then
        redis.call('ZADD', account.expiries, now + left, key)
      else
        strike(account, key)
      end
    end
    return #due
  end

  -- Deletes keys of another type where an account belongs.
  local function mend(account)
    for _, key in pairs(account) do
      local answer = redis.pcall(key == account.sizes and 'HLEN' or 'ZCARD', key)
      if type(answer) == 'table' then
        redis.call('UNLINK', key)
      end
    end
  end

  -- Deletes the accounts of a few owners whose keys have all expired.
  local function drop_idle(directory, now)
    for _, owner in ipairs(redis.call('ZRANGEBYSCORE', directory, '-inf', now, 'LIMIT', 0, 4)) do
      local account = account_of(directory, owner)
      local last = redis.pcall('ZRANGE', account.expiries, -1, -1, 'WITHSCORES')
      if last[2] and tonumber(last[2]) > now then
        redis.call('ZADD', directory, last[2], owner)
      else
        redis.call('UNLINK', account.sizes, account.ages, account.expiries)
        redis.call('ZREM', directory, owner)
      end
    end
  end

  -- Until when the directory says that the owner has keys, or false. The directory is no longer complete if
  -- the account was lost before then, by eviction for instance.
  local function listed_until(directory, owner, sizes, now)
    local known = redis.pcall('ZSCORE', directory, owner)
    if type(known) == 'table' then
      redis.call('UNLINK', directory)
      return false
    end
    if known and tonumber(known) > now and redis.call('EXISTS', sizes) == 0 then
      redis.call('ZREMRANGEBYSCORE', directory, 'inf', 'inf')
    end
    return known
  end

  -- Enters the owner into the directory of accounts, for as long as it has keys.
  local function list(directory, owner, account, now, ends)
    local known = listed_until(directory, owner, account.sizes, now)
    if not known or tonumber(known) < ends then
      redis.call('ZADD', directory, ends, owner)
    end
    drop_idle(directory, now)
  end

  -- Enters a key into its owner's account: a value of this size, or a lease with size 0. `lasts`: how long the
  -- account is needed at least. Without a directory, the account has a TTL.
  local function enter(key, owner, size, ttl, lasts, directory)
    local account, now = account_of(key, owner), milliseconds()
    mend(account)
    strike(account, key)
    purge(account, now, 4)
    local needed = math.max(ttl, lasts)
    if directory ~= '' then
      list(directory, owner, account, now, now + needed)
    end
    redis.call('HSET', account.sizes, key, size)
    redis.call('HINCRBY', account.sizes, TOTAL, size)
    redis.call('ZADD', account.expiries, now + ttl, key)
    if size > 0 then
      redis.call('ZADD', account.ages, redis.call('HINCRBY', account.sizes, NEXT, 1), key)
    end
    if directory == '' then
      for _, part in pairs(account) do
        if redis.call('PTTL', part) < needed then
          redis.call('PEXPIRE', part, needed)
        end
      end
    end
  end

  -- Deletes the owner's oldest values until this many bytes fit into the capacity. Expired ones don't count.
  local function make_room(key, owner, size, capacity)
    local account, now = account_of(key, owner), milliseconds()
    local function is_full()
      return (tonumber(redis.call('HGET', account.sizes, TOTAL)) or 0) + size > capacity
    end
    while is_full() do
      if purge(account, now, 16) == 0 then
        local oldest = redis.call('ZRANGE', account.ages, 0, 0)[1]
        if not oldest then
          return
        end
        redis.call('UNLINK', oldest)
        strike(account, oldest)
      end
    end
  end

  -- Whether the key is in its owner's account.
  local function is_entered(key, owner)
    local size = redis.pcall('HGET', account_of(key, owner).sizes, key)
    return size and type(size) ~= 'table'
  end

  local function leave(key, owner)
    strike(account_of(key, owner), key)
  end

  return {
    drop_idle = drop_idle,
    enter = enter,
    is_entered = is_entered,
    leave = leave,
    listed_until = listed_until,
    make_room = make_room,
    mend = mend,
    milliseconds = milliseconds,
    purge = purge,
  }
end

-- Takes a value out of its owner's account, if it has one. Called before the value is deleted or overwritten.
local function leave(key, bytes)
  local owner = owner_of(key, bytes)
  if owner then
    accounts().leave(key, owner)
  end
end
