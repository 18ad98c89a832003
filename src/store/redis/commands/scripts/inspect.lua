-- What a key holds, how many bytes that has, and how long still, in ms; nothing when it is vacant.
-- Of an answer all but its body: see codec.rs.
-- KEYS[1]: the key.
local value = redis.call('GET', KEYS[1])
if not value then
  return value
end

-- Where the body of an answer begins. What ends early has none, and is unreadable as it stands.
local function body_at()
  local behind = #value + 1
  local at = 36 + (string.byte(value, 35) == 1 and 32 or 0)
  if at + 6 > behind then
    return behind
  end
  return math.min(at + 6 + struct.unpack('>I4', value, at + 2), behind)
end

local told = value
if string.sub(value, 1, 2) == '\1A' then
  told = string.sub(value, 1, body_at() - 1)
end
return {told, #value, redis.call('PTTL', KEYS[1])}
