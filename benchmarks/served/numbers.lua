-- wrk's side of a case: another number in the path of each request.
local path = os.getenv("BENCH_PATH")
local numbers = tonumber(os.getenv("BENCH_NUMBERS"))

request = function()
  return wrk.format("GET", string.format(path, math.random(numbers)))
end
