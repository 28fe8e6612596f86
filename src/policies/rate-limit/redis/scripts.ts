import type { Algorithm } from '../meter.ts'

/**
 * Scripts that decide requests, one after the other. KEYS: for each request one for each quota. ARGV: the number of quotas; the
 * time in microseconds, or "" for that of the server; limit and window in milliseconds for each quota; then the cost of each
 * request. Reply: for each request 1 or 0 for admitted or refused, then for each quota the remaining units, and the milliseconds
 * until more are available and until the request would be admitted.
 *
 * Every script first reads all quotas and then, if all of them admit, takes from each: Redis runs it atomically.
 */
const begin = `
local count = tonumber(ARGV[1])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local reply = {}
for request = 0, #KEYS / count - 1 do
  local cost = tonumber(ARGV[3 + 2 * count + request])
  local needed = math.max(cost, 1)
  local states = {}
  local admitted = 1
  for i = 1, count do
    local limit, window = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local state = look(KEYS[request * count + i], limit, window, needed, now)
    if state.used + needed > state.limit then admitted = 0 end
    states[i] = state
  end
  reply[#reply + 1] = admitted
  for i = 1, count do
    local state = states[i]
    if admitted == 1 and cost > 0 then take(KEYS[request * count + i], state, cost, now) end
    local remaining, reset, wait = tell(state, needed, now)
    reply[#reply + 1] = math.max(0, math.floor(remaining))
    reply[#reply + 1] = math.ceil(reset)
    reply[#reply + 1] = admitted == 1 and 0 or math.max(0, math.ceil(wait))
  end
end
return reply
`

/** A counter that Redis expires at the end of the window. */
const fixedWindow = `
local function look(key, limit, window, needed, now)
  local used = tonumber(redis.call('GET', key)) or 0
  local left = redis.call('PTTL', key)
  -- Longer than a window is left only after the clock of the server was set back.
  if left == -1 or left > window then
    redis.call('PEXPIRE', key, window)
    left = window
  end
  return {limit = limit, window = window, used = used, left = left}
end
local function take(key, state, cost, now)
  redis.call('INCRBY', key, cost)
  state.used = state.used + cost
  if state.left >= 0 then return end
  redis.call('PEXPIRE', key, state.window)
  state.left = state.window
end
local function tell(state, needed, now)
  local remaining = state.limit - state.used
  local reset = state.left >= 0 and state.left or state.window
  return remaining, reset, needed > remaining and reset or 0
end
`

/** Counts of eighths of the window: fields of a hash, numbered by eighths since 1970. */
const slidingWindow = `
local SLICES = 8
local function look(key, limit, window, needed, now)
  local length = window * 1000 / SLICES
  local current = math.floor(now / length)
  local state = {limit = limit, length = length, current = current, used = 0, counts = {}}
  local stored = redis.call('HGETALL', key)
  for i = 1, #stored, 2 do
    local slice, count = tonumber(stored[i]), tonumber(stored[i + 1])
    if slice < current - SLICES then
      redis.call('HDEL', key, stored[i])
    else
      -- A slice that is still to come was counted before the clock of the server was set back.
      if slice > current then
        redis.call('HDEL', key, stored[i])
        redis.call('HINCRBY', key, string.format('%.0f', current), count)
        slice = current
      end
      local age = current - slice
      state.counts[age] = (state.counts[age] or 0) + count
      state.used = state.used + count
    end
  end
  return state
end
local function take(key, state, cost, now)
  redis.call('HINCRBY', key, string.format('%.0f', state.current), cost)
  redis.call('PEXPIRE', key, math.ceil(state.length * (SLICES + 1) / 1000))
  state.counts[0] = (state.counts[0] or 0) + cost
  state.used = state.used + cost
end
local function untilFree(state, units, now)
  local freed = 0
  for age = SLICES, 0, -1 do
    freed = freed + (state.counts[age] or 0)
    if freed >= units then return ((state.current - age + 1 + SLICES) * state.length - now) / 1000 end
  end
  return state.length * SLICES / 1000
end
local function tell(state, needed, now)
  local remaining = state.limit - state.used
  return remaining, untilFree(state, 1, now), needed > remaining and untilFree(state, needed - remaining, now) or 0
end
`

/** The time at which the bucket will be full again, in microseconds. */
const tokenBucket = `
local function keep(key, state, now)
  redis.call('SET', key, string.format('%.0f', now + state.backlog), 'PX', math.ceil(state.backlog / 1000))
end
local function look(key, limit, window, needed, now)
  local interval = math.max(1, math.ceil(window * 1000 / limit))
  local capacity = interval * limit
  local full = tonumber(redis.call('GET', key)) or now
  local state = {limit = limit, interval = interval, capacity = capacity, backlog = math.max(full - now, 0)}
  -- Further away than an empty bucket takes only after the clock of the server was set back.
  if state.backlog > capacity then
    state.backlog = capacity
    keep(key, state, now)
  end
  state.used = state.backlog / interval
  return state
end
local function take(key, state, cost, now)
  state.backlog = state.backlog + cost * state.interval
  keep(key, state, now)
end
local function tell(state, needed, now)
  local room = state.capacity - state.backlog
  local remaining = math.floor(room / state.interval)
  return remaining, ((remaining + 1) * state.interval - room) / 1000, (needed * state.interval - room) / 1000
end
`

/** The Lua script of each algorithm. */
export const scripts: Readonly<Record<Algorithm, string>> = {
  'fixed-window': fixedWindow + begin,
  'sliding-window': slidingWindow + begin,
  'token-bucket': tokenBucket + begin,
}
