-- wrk's side of a case: another number in the path of each request, or in its body.
local path = os.getenv("BENCH_PATH")
local body = os.getenv("BENCH_BODY")
local numbers = tonumber(os.getenv("BENCH_NUMBERS"))
local headers = { ["Content-Type"] = "application/json" }

request = function()
  local number = math.random(numbers)
  if body ~= "" then
    return wrk.format("POST", path, headers, string.format(body, number))
  end
  return wrk.format("GET", string.format(path, number))
end
