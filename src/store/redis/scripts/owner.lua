-- Whether a value is the claim of this owner: a lock is the bare token, any other claim begins
-- with the version, a C and the token. See codec.rs.
local function is_claim_of(value, token)
  return value == token or (value and string.sub(value, 1, 34) == '\1C' .. token)
end
