-- Takes a lapsed claim over, or tells how long a live one has left. Called only when SET NX has
-- met a claim with the same fingerprint, but looks at everything anew.
-- KEYS[1]: the key. ARGV: token, rest of the claim behind its attempt number, lease + grace
-- in ms, '1' to take over.
local value = redis.call('GET', KEYS[1])
local token, rest = ARGV[1], ARGV[2]

local function claim(attempt)
  local new = '\1C' .. token .. struct.pack('>I4', attempt) .. rest
  redis.call('SET', KEYS[1], new, 'PX', ARGV[3])
  return {'claimed', attempt}
end

if not value then
  return claim(1)
end
if string.sub(value, 1, 2) ~= '\1C' or #value < 47 then
  return {'found', value}
end
local attempt = struct.unpack('>I4', value, 35)
if is_claim_of(value, token) then
  return {'claimed', attempt}
end
-- The key outlives the lease by the grace, so the time left says whether the lease lasts.
local left = redis.call('PTTL', KEYS[1]) - struct.unpack('>I8', value, 39)
if left > 0 then
  return {'live', value, left}
end
if ARGV[4] == '1' and string.sub(value, 47) == string.sub(rest, 9) then
  return claim(math.min(attempt + 1, 4294967295))
end
return {'lapsed', value}
