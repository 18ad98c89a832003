-- Makes a key vacant, whatever it holds, and wakes who waits for it.
-- KEYS[1]: the key.
if redis.call('DEL', KEYS[1]) == 0 then
  return 0
end
redis.pcall('SPUBLISH', KEYS[1], '')
return 1
