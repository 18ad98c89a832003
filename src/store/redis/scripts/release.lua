-- Makes a key vacant that is claimed by this owner. Never touches a record.
-- KEYS[1]: the key. ARGV: token.
if is_claim_of(redis.call('GET', KEYS[1]), ARGV[1]) then
  return redis.call('DEL', KEYS[1])
end
return 0
