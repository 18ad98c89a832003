-- Puts a record in the place of its claim, or into a vacant one, and wakes who waits for it.
-- KEYS[1]: the key. ARGV: token, record, retention in ms.
local value = redis.call('GET', KEYS[1])
if not value or is_claim_of(value, ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  -- pcall: a user who may not publish must not fail a completion that is stored.
  redis.pcall('SPUBLISH', KEYS[1], '')
  return 1
end
-- A repetition, when the record is its own.
return is_of(value, ARGV[1]) and 1 or 0
