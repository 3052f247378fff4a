-- Reads a value and its PTTL at one moment.
-- KEYS: entry. Returns both, or the error that GET gives for another type.
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  return value
end
return {value, redis.call('PTTL', KEYS[1])}
