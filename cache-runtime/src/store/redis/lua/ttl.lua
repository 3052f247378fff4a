-- Reads the first three bytes at a key, the grace in its header, and its PTTL.
-- KEYS: entry.
local bytes = header(KEYS[1])
return {string.sub(bytes, 1, KIND), string.sub(bytes, GRACE, GRACE_END), redis.call('PTTL', KEYS[1])}
