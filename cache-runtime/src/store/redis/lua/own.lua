-- Enters a key that was leased or claimed just now into its owner's account, so that an invalidation of the
-- owner finds it. The account is left out of what follows if there is no owner.
-- KEYS: entry. ARGV, the last three: owner or '', how long the account is needed in milliseconds, directory
-- of owners or ''.
do
  local owner, lasts, directory = ARGV[#ARGV - 2], tonumber(ARGV[#ARGV - 1]), ARGV[#ARGV]
  if owner ~= '' and not (is_entered(KEYS[1], owner) and is_value(header(KEYS[1]))) then
    local size = 0
    if is_value(header(KEYS[1])) then
      size = redis.call('STRLEN', KEYS[1]) + #KEYS[1]
    end
    enter(KEYS[1], owner, size, math.max(redis.call('PTTL', KEYS[1]), 1), lasts, directory)
  end
end
