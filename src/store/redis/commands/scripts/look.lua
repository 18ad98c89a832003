-- How long a claim is still held by this owner, in ms; 0 when it is not.
-- KEYS[1]: the key. ARGV: token.
local value = redis.call('GET', KEYS[1])
if not is_claim_of(value, ARGV[1]) then
  return 0
end
local grace = 0
if value ~= ARGV[1] then
  grace = struct.unpack('>I8', value, 39)
end
return math.max(redis.call('PTTL', KEYS[1]) - grace, 0)
