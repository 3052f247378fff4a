-- Gives a lease back, or a claim on a value. The value stays unless it is outdated.
-- KEYS: entry. ARGV: token, '1' if the value is outdated. Returns 1 if the token held either.
local token, outdated = ARGV[1], ARGV[2] == '1'
local bytes = header(KEYS[1])
local held = held_by(token, bytes)
if not held then
  return 0
end
if held == 'lease' or outdated then
  leave(KEYS[1], bytes)
  redis.call('UNLINK', KEYS[1])
else
  set_claim(KEYS[1], string.rep('\0', 8), string.rep('\0', 8))
end
return 1
