-- Takes a lease in place of exactly the bytes that were seen, so that no miss is wedged by junk and none
-- overwrites what came meanwhile. What is no string was seen as ''.
-- KEYS[1]: entry. ARGV: bytes seen, lease, milliseconds.
local standing = redis.pcall('GET', KEYS[1])
if type(standing) == 'table' then
  standing = ''
end
if standing and standing ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
