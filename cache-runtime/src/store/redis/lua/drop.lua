-- Deletes an entry whose members are on another node.
-- KEYS[1]: entry. ARGV: first bytes of a lease. Answers 1 if it was no lease, and its first bytes; nil if nothing was
-- there.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
if type(head) == 'table' then
  head = ''
end
if redis.call('UNLINK', KEYS[1]) == 0 then
  return nil
end
if string.sub(head, 1, 3) == ARGV[1] then
  return {0, head}
end
return {1, head}
