-- Makes a key vacant that is claimed by anybody, and wakes who waits for it. Never touches a
-- record, nor what codec.rs cannot read: that is for delete.lua.
-- KEYS[1]: the key.
local value = redis.call('GET', KEYS[1])

local function is_token(text)
  return #text == 32 and not string.find(text, '[^0-9a-f]')
end
-- Version and kind, token, attempt, grace, then 00 or 01 and a fingerprint.
local function is_claim()
  local has_fingerprint = string.byte(value, 47)
  return string.sub(value, 1, 2) == '\1C'
    and is_token(string.sub(value, 3, 34))
    and string.sub(value, 35, 38) ~= '\0\0\0\0'
    and (has_fingerprint == 0 and #value == 47 or has_fingerprint == 1 and #value == 79)
end

if not value or not (is_token(value) or is_claim()) then
  return 0
end
redis.call('DEL', KEYS[1])
redis.pcall('SPUBLISH', KEYS[1], '')
return 1
