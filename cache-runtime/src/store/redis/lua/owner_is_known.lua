-- Tells whether all entries of an owner are in its account.
-- KEYS: sizes of the account, directory of owners. ARGV: owner.
-- Returns 1 if the directory is complete and the account wasn't lost.
local accounts = accounts()
accounts.listed_until(KEYS[2], ARGV[1], KEYS[1], accounts.milliseconds())
return redis.call('ZSCORE', KEYS[2], COMPLETE) and 1 or 0
