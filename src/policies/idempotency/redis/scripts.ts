/**
 * Scripts for idempotency keys. Each uses the keys of one client, which share a hash tag and so are on one node of a Cluster, and
 * Redis runs it atomically. Times are those of the server, so that clocks are not compared.
 *
 * A key is a hash: s (lock, spent or done), t (token), h (digest of the head), l (until when a lock is held, in milliseconds), and,
 * when done, r (status, fields, digest of the request's body) and b (body). In addition, each client has a sorted set of its
 * completed keys, "<bytes> <id>" scored by when they expire, and the sum of those bytes.
 */
const time = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/**
 * KEYS: the key. ARGV: token, digest of the head, milliseconds that the lock is held and that the key is kept, 1 if the request is
 * to go on although an earlier one was sent. Reply: "claimed", or state, digest of the head, and r.
 */
export const CLAIM = `${time}
local is = redis.call('HMGET', KEYS[1], 's', 'h', 'l')
local state = is[1]
if state == 'lock' and tonumber(is[3]) <= now then state = 'spent' end
if not state or (state == 'spent' and ARGV[5] == '1') then
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[1], 's', 'lock', 't', ARGV[1], 'h', ARGV[2], 'l', string.format('%.0f', now + ARGV[3]))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return {'claimed'}
end
return {state, is[2], redis.call('HGET', KEYS[1], 'r')}
`

/** KEYS: the key. ARGV: 1 if a request is to go on although an earlier one was sent. Reply: as for CLAIM, but nothing is written. */
export const LOOK = `${time}
local is = redis.call('HMGET', KEYS[1], 's', 'h', 'l')
local state = is[1]
if state == 'lock' and tonumber(is[3]) <= now then state = 'spent' end
if not state or (state == 'spent' and ARGV[1] == '1') then return {'claimed'} end
return {state, is[2], redis.call('HGET', KEYS[1], 'r')}
`

/** KEYS: the key. ARGV: token, milliseconds that the lock is held. */
export const RENEW = `${time}
local is = redis.call('HMGET', KEYS[1], 's', 't')
if is[1] == 'lock' and is[2] == ARGV[1] then
  redis.call('HSET', KEYS[1], 'l', string.format('%.0f', now + ARGV[2]))
end
`

/**
 * KEYS: the key, its client's sorted set, the sum of bytes. ARGV: token, id, bytes, the client's maximum; then r and b if there is
 * a reply. Reply: how many keys were evicted.
 */
export const SETTLE = `${time}
local is = redis.call('HMGET', KEYS[1], 's', 't')
if is[1] ~= 'lock' or is[2] ~= ARGV[1] then return 0 end
local function takeOut(member)
  redis.call('ZREM', KEYS[2], member)
  return tonumber(string.match(member, '^%d+')), string.match(member, '%S+$')
end
redis.call('HDEL', KEYS[1], 'l')
if ARGV[5] then redis.call('HSET', KEYS[1], 's', 'done', 'r', ARGV[5], 'b', ARGV[6])
else redis.call('HSET', KEYS[1], 's', 'spent') end
local bytes = tonumber(redis.call('GET', KEYS[3])) or 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  bytes = bytes - takeOut(member)
end
local count, most = 0, tonumber(ARGV[4])
while bytes + ARGV[3] > most do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then break end
  local size, id = takeOut(oldest)
  bytes = bytes - size
  local other = string.sub(KEYS[1], 1, -1 - #ARGV[2]) .. id
  if redis.call('HGET', other, 's') ~= 'lock' then count = count + redis.call('UNLINK', other) end
end
local left = math.max(redis.call('PTTL', KEYS[1]), 1)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + left), ARGV[3] .. ' ' .. ARGV[2])
left = math.max(redis.call('PTTL', KEYS[2]), left)
redis.call('PEXPIRE', KEYS[2], left)
redis.call('SET', KEYS[3], string.format('%.0f', bytes + ARGV[3]), 'PX', left)
return count
`

/** KEYS: the key. ARGV: token. */
export const RELEASE = `
local is = redis.call('HMGET', KEYS[1], 's', 't')
if is[1] == 'lock' and is[2] == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
`
