-- What a key holds, and how long still, in ms; nothing when it is vacant.
-- KEYS[1]: the key.
local value = redis.call('GET', KEYS[1])
return value and {value, redis.call('PTTL', KEYS[1])}
