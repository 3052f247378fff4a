-- What stands at a key, and how long it lives, at one moment.
-- KEYS[1]: entry. Answers the value and milliseconds as PTTL gives them; an error for what is no string.
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  return value
end
return {value, redis.call('PTTL', KEYS[1])}
