-- The first bytes of what stands at a key; nil if nothing does. What is no string begins with nothing.
-- KEYS[1]: entry.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
if type(head) == 'table' then
  return ''
end
if head == '' and redis.call('EXISTS', KEYS[1]) == 0 then
  return nil
end
return head
