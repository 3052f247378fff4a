-- The first bytes of what stands at a key, its grace, and how long it lives. What is no string begins with nothing.
-- KEYS[1]: entry.
local start = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if type(start) == 'table' then
  return {'', '', redis.call('PTTL', KEYS[1])}
end
return {start, redis.call('GETRANGE', KEYS[1], 48, 55), redis.call('PTTL', KEYS[1])}
