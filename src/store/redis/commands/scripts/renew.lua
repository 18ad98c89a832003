-- Gives a claim a full lease again and tells the time: seconds and microseconds, or nothing.
-- KEYS[1]: the key. ARGV: token, lease + grace in ms.
if is_claim_of(redis.call('GET', KEYS[1]), ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return redis.call('TIME')
end
return false
