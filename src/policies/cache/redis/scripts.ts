/**
 * Scripts of the cache. Each uses the keys of one URL, of one group, or the list of prefixes, which share a hash tag and so are on
 * one node of a Cluster, and Redis runs it atomically. Times are microseconds of the server's own clock: callers pass how long ago
 * something began, never when, so that clocks are not compared.
 */
const time = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function keepFor(key, ms)
  if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end
`

/** KEYS: an entry. ARGV: number and bytes of a piece of its body; milliseconds to keep it even if the rest never arrives. */
export const ADD_PIECE = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
`

/**
 * Makes an entry visible, instead of the one that answers the same requests. KEYS: URL, its tombstone, index, entry, the entry
 * whose body it reuses, or itself once more. ARGV: microseconds since the service was asked; milliseconds to live; name of the
 * index; what it answers; its description in the index; head; number and bytes of the last piece of the body, if it has one;
 * maximum number of variants; its groups. Reply: 1; 0 if it is outdated; 2 if the body to reuse no longer exists.
 */
export const PUBLISH = `${time}
local since = now - tonumber(ARGV[1])
local gone = tonumber(redis.call('GET', KEYS[2]))
if gone and gone >= since then
  redis.call('UNLINK', KEYS[4])
  return 0
end
if KEYS[5] ~= KEYS[4] then
  if redis.call('EXISTS', KEYS[5]) == 0 then return 2 end
  redis.call('RENAME', KEYS[5], KEYS[4])
end
redis.call('HSET', KEYS[4], 'head', ARGV[6])
if ARGV[7] ~= '' then redis.call('HSET', KEYS[4], ARGV[7], ARGV[8]) end
redis.call('PEXPIRE', KEYS[4], ARGV[2])
local function entryOf(value) return KEYS[1] .. ':entry:' .. string.match(value, '^%S+') end
local former = redis.call('HGET', KEYS[3], ARGV[4])
if former then redis.call('UNLINK', entryOf(former)) end
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
if redis.call('HLEN', KEYS[3]) > tonumber(ARGV[9]) then
  local all, oldest = redis.call('HGETALL', KEYS[3]), nil
  for i = 1, #all, 2 do
    if not oldest or all[i + 1] < all[oldest + 1] then oldest = i end
  end
  redis.call('UNLINK', entryOf(all[oldest + 1]))
  redis.call('HDEL', KEYS[3], all[oldest])
end
keepFor(KEYS[3], ARGV[2])
local ends = math.floor(now / 1000) + tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', math.floor(now / 1000))
redis.call('ZADD', KEYS[1], ends, 'k' .. ARGV[3])
for i = 10, #ARGV do redis.call('ZADD', KEYS[1], ends, 'g' .. ARGV[i]) end
keepFor(KEYS[1], ARGV[2])
return 1
`

/**
 * Records that a group has an entry of a URL. KEYS: group, its tombstone. ARGV: microseconds since the service was asked;
 * milliseconds that the entry lives; the URL. Reply: 1, or 0 if the group has been invalidated since.
 */
export const JOIN_GROUP = `${time}
local gone = tonumber(redis.call('GET', KEYS[2]))
if gone and gone >= now - tonumber(ARGV[1]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', math.floor(now / 1000))
redis.call('ZADD', KEYS[1], math.floor(now / 1000) + tonumber(ARGV[2]), ARGV[3])
keepFor(KEYS[1], ARGV[2])
return 1
`

/** KEYS: index, entry. ARGV: what the entry answers, its id. */
export const REMOVE = `
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value and string.match(value, '^%S+') == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('UNLINK', KEYS[2])
`

/** If a tombstone cannot be written for lack of memory it is omitted: the stored entries are removed in any case. */
const bury = `redis.pcall('SET', KEYS[2], string.format('%.0f', now), 'PX', ARGV[1])`

/** KEYS: URL, its tombstone. ARGV: milliseconds to keep the tombstone. Reply: the number of entries removed, and their groups. */
export const FORGET_URL = `${time}
local count, groups = 0, {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local name = string.sub(member, 2)
  if string.sub(member, 1, 1) == 'g' then
    groups[#groups + 1] = name
  else
    local index = KEYS[1] .. ':key:' .. name
    for _, value in ipairs(redis.call('HVALS', index)) do
      count = count + redis.call('UNLINK', KEYS[1] .. ':entry:' .. string.match(value, '^%S+'))
    end
    redis.call('UNLINK', index)
  end
end
redis.call('UNLINK', KEYS[1])
${bury}
return {count, groups}
`

/** KEYS: group, its tombstone. ARGV: milliseconds to keep the tombstone. Reply: the URLs that have entries in it. */
export const FORGET_GROUP = `${time}
local urls = redis.call('ZRANGE', KEYS[1], 0, -1)
redis.call('UNLINK', KEYS[1])
${bury}
return urls
`

/** KEYS: URL. ARGV: a group, as JSON. Reply: how many of its entries were in the group and have been removed. */
export const FORGET_MEMBERS = `
local count = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(member, 1, 1) == 'k' then
    local index = KEYS[1] .. ':key:' .. string.sub(member, 2)
    local all = redis.call('HGETALL', index)
    for i = 1, #all, 2 do
      if string.find(all[i + 1], ARGV[1], 1, true) then
        count = count + redis.call('UNLINK', KEYS[1] .. ':entry:' .. string.match(all[i + 1], '^%S+'))
        redis.call('HDEL', index, all[i])
      end
    end
  end
end
return count
`

/** KEYS: the invalidated prefixes. ARGV: milliseconds to remember them, their maximum number, a prefix. */
export const NOTE_PREFIX = `${time}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[1] * 1000))
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`

/** KEYS: the same. ARGV: microseconds. Reply: the prefixes that were invalidated during that time. */
export const PREFIXES_SINCE = `${time}
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now - tonumber(ARGV[1])), '+inf')
`
