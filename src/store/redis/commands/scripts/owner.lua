-- Whose a value is: a lock is the bare token; in any other value the token stands behind the
-- version and a letter for its kind. See codec.rs.
local function is_claim_of(value, token)
  return value == token or (value and string.sub(value, 1, 34) == '\1C' .. token)
end
local function is_of(value, token)
  return value and string.sub(value, 1, 1) == '\1' and string.sub(value, 3, 34) == token
end
