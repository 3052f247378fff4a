-- Reads the first bytes, the length and the PTTL of entries.
-- KEYS: entries. ARGV: number of first bytes, 1 if the user may run STRLEN.
-- Returns the three for each key, and an empty list for one that is absent. The length is -1 where the
-- key holds another type. Without STRLEN, the whole value is read to learn its length.
local facts = {}
for at, key in ipairs(KEYS) do
  local start, length
  if ARGV[2] == '1' then
    start = redis.pcall('GETRANGE', key, 0, ARGV[1] - 1)
    length = start ~= '' and type(start) ~= 'table' and redis.call('STRLEN', key)
  else
    local bytes = redis.pcall('GET', key)
    start = type(bytes) == 'string' and string.sub(bytes, 1, tonumber(ARGV[1])) or bytes or ''
    length = type(bytes) == 'string' and #bytes
  end
  local left = redis.call('PTTL', key)
  if left == -2 then
    facts[at] = {}
  elseif type(start) == 'table' then
    facts[at] = {'', -1, left}
  else
    facts[at] = {start, length or 0, left}
  end
end
return facts
