-- Signed deliveries for wrk. Arguments after `--`: FOLDER SEED
--
-- FOLDER holds `index` (one line per payload: event, signature, offset, length) and `bodies`.
-- Everything but the GUID is prepared once per thread: a request costs one concatenation. `done`
-- writes the result as one line of JSON.

local heads, tails, hex = {}, {}, {}
local count, at = 0, 0
local random = math.random

function init(args)
  local folder, seed = args[1], tonumber(args[2])
  math.randomseed(seed)
  for i = 0, 65535 do
    hex[i] = string.format("%04x", i)
  end
  local file = assert(io.open(folder .. "/bodies", "rb"))
  local bodies = file:read("*a")
  file:close()
  for line in io.lines(folder .. "/index") do
    local event, signature, offset, length = line:match("^(%S+) (%S+) (%d+) (%d+)$")
    count = count + 1
    heads[count] = table.concat({
      "POST " .. wrk.path .. " HTTP/1.1",
      "Host: " .. wrk.headers["Host"],
      "User-Agent: GitHub-Hookshot/044aadd",
      "Accept: */*",
      "Content-Type: application/json",
      "Content-Length: " .. length,
      "X-GitHub-Event: " .. event,
      "X-GitHub-Hook-ID: 292430182",
      "X-GitHub-Hook-Installation-Target-ID: 79929171",
      "X-GitHub-Hook-Installation-Target-Type: integration",
      "X-Hub-Signature-256: " .. signature,
      "X-GitHub-Delivery: ",
    }, "\r\n")
    tails[count] = "\r\n\r\n" .. bodies:sub(offset + 1, offset + length)
  end
end

function request()
  at = at % count + 1
  return heads[at]
    .. hex[random(0, 65535)] .. hex[random(0, 65535)] .. "-" .. hex[random(0, 65535)]
    .. "-" .. hex[random(16384, 20479)] .. "-" .. hex[random(32768, 49151)]
    .. "-" .. hex[random(0, 65535)] .. hex[random(0, 65535)] .. hex[random(0, 65535)]
    .. tails[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.stdout:write(string.format(
    '\n{"answers": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "max_us": %d, ' ..
    '"status_errors": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
