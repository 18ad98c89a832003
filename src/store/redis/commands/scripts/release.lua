-- Makes a key vacant that is claimed by this owner, and wakes who waits for it. Never touches a
-- record. Nobody waits for a lock, so its release is not published.
-- KEYS[1]: the key. ARGV: token.
local value = redis.call('GET', KEYS[1])
if not is_claim_of(value, ARGV[1]) then
  return 0
end
redis.call('DEL', KEYS[1])
if value ~= ARGV[1] then
  redis.pcall('SPUBLISH', KEYS[1], '')
end
return 1
