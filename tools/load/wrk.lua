-- One load: `wrk -s wrk.lua URL -- REQUEST START SHARE [EXPECTED]`, see src/wrk.rs.
--
-- REQUEST   a whole request, with `#` in two places for its number.
-- START     the first number. Loads on one server must not meet each other's.
-- SHARE     how many requests in a row have the same number: 1, or some, or 0 for all.
-- EXPECTED  the pattern of every answer's body. Looking at each costs, so it is done while the server
--           warms up; when it counts only statuses and sizes are compared.

local threads = {}
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  -- The number at the end is one of the few places by which LuaJIT tells long strings apart.
  local first, second, third = string.match(args[1], '^(.-)#(.-)#(.-)$')
  local start, share, expected = tonumber(args[2]), tonumber(args[3]), args[4]

  if share == 0 then
    local one = first .. start .. second .. start .. third
    request = function() return one end
  else
    local count = 0
    request = function()
      local number = start + (count - count % share) / share
      count = count + 1
      return first .. number .. second .. number .. third
    end
  end

  if expected then
    response = function(status, headers, body)
      if status ~= 201 or not string.find(body, expected) then wrong = wrong + 1 end
    end
  end
end

function done(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get('wrong') end
  local errors = summary.errors
  print(string.format(
    'tally requests=%d micros=%d bytes=%d wrong=%d status=%d socket=%d timeout=%d p50=%d p99=%d',
    summary.requests, summary.duration, summary.bytes, wrong, errors.status,
    errors.connect + errors.read + errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
