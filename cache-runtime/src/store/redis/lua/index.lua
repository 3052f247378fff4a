-- Helpers for index sets.

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

-- Returns a random member and its successors, since choosing each at random takes longer. After the last
-- member comes the first, so that all members are chosen equally often.
local function some_members(set, count)
  local start = redis.call('ZRANDMEMBER', set)
  local members = redis.call('ZRANGEBYLEX', set, '[' .. start, '+', 'LIMIT', 0, count)
  local missing = count - #members
  if missing > 0 then
    for _, member in ipairs(redis.call('ZRANGEBYLEX', set, '-', '(' .. start, 'LIMIT', 0, missing)) do
      members[#members + 1] = member
    end
  end
  return members
end

-- Drops those of the members whose entries are gone. Check and removal are one step; otherwise a key that was
-- leased in between would leave the index. Marks begin with a NUL and stay.
local function drop_dead(set, prefix, members)
  local keys, dropped = {}, 0
  for _, member in ipairs(members) do
    if string.byte(member) ~= 0 then
      keys[#keys + 1] = prefix .. member
    end
  end
  -- Usually all of them exist, and one command is enough to find that out.
  if #keys == 0 or redis.call('EXISTS', unpack(keys)) == #keys then
    return 0
  end
  for _, key in ipairs(keys) do
    if redis.call('EXISTS', key) == 0 then
      dropped = dropped + redis.call('ZREM', set, string.sub(key, #prefix + 1))
    end
  end
  return dropped
end
