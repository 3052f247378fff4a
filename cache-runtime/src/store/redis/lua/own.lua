-- Enters a key that was leased or claimed just now into its owner's account, so that an invalidation of the
-- owner finds it. The account is left out of what follows if there is no owner.
-- KEYS: entry. ARGV, the last three: owner or '', how long the account is needed in milliseconds, directory
-- of owners or ''.
do
  local owner, lasts, directory = ARGV[#ARGV - 2], tonumber(ARGV[#ARGV - 1]), ARGV[#ARGV]
  if owner ~= '' then
    local accounts, claimed = accounts(), is_value(header(KEYS[1]))
    if not (claimed and accounts.is_entered(KEYS[1], owner)) then
      local size = claimed and redis.call('STRLEN', KEYS[1]) + #KEYS[1] or 0
      accounts.enter(KEYS[1], owner, size, math.max(redis.call('PTTL', KEYS[1]), 1), lasts, directory)
    end
  end
end
