-- The first bytes of what stands at a key, and how long it lives. What is no string begins with nothing.
-- KEYS[1]: entry.
local start = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if type(start) == 'table' then
  start = ''
end
return {start, redis.call('PTTL', KEYS[1])}
