-- wrk's side of a case: another number in the path or in the body of each request.
local path = os.getenv("BENCH_PATH")
local numbers = tonumber(os.getenv("BENCH_NUMBERS"))
local body = os.getenv("BENCH_BODY")
-- No earlier run has sent what comes after it.
local sent = tonumber(os.getenv("BENCH_FIRST"))
local json = {["Content-Type"] = "application/json"}

local next_number = function()
  if numbers > 1 then
    return math.random(numbers)
  end
  sent = sent + 1
  return sent
end

request = function()
  if body then
    return wrk.format("POST", path, json, string.format(body, next_number()))
  end
  return wrk.format("GET", string.format(path, math.random(numbers)))
end
