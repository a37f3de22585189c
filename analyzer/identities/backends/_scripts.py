"""Lua scripts: steps that the Redis server runs alone."""

KEYS = ("meta", "rows", "faces", "changed", "calls")
"""Hash of settings, version and counters; hash id -> row, empty where it was forgotten; hash id ->
faces; sorted set of ids by the version of their last change; hash key of a call -> its answer."""

CHANGES = """
local newest = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local ids = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
if #ids == 0 then return {newest, newest, {}, {}} end
local reached = redis.call('ZSCORE', KEYS[4], ids[#ids])
return {newest, reached, ids, redis.call('HMGET', KEYS[2], unpack(ids))}
"""
"""Arguments: the version known, how many rows at most."""

COMMIT = """
local known = redis.call('HGET', KEYS[5], ARGV[2])
if known then return known end
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[1]) then return false end
local at = 7
for _ = 1, tonumber(ARGV[6]) do
  version = version + 1
  local new = redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[4], version, ARGV[at])
  redis.call('HINCRBY', KEYS[1], 'identities', new)
  at = at + 2
end
while ARGV[at] do
  redis.call('HINCRBY', KEYS[3], ARGV[at], ARGV[at + 1])
  at = at + 2
end
redis.call('HSET', KEYS[1], 'version', version)
redis.call('HINCRBY', KEYS[1], 'detected', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'embedded', ARGV[5])
redis.call('HINCRBY', KEYS[1], 'saved', ARGV[5])
redis.call('HSET', KEYS[5], ARGV[2], ARGV[3])
return ARGV[3]
"""
"""Arguments: version, key, answer, detected, embedded, number of rows; then id and row of each;
then id and faces of each identity that was counted."""

FORGET = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
for _, id in ipairs(ARGV) do
  if redis.call('HSTRLEN', KEYS[2], id) > 0 then
    version = version + 1
    local faces = redis.call('HGET', KEYS[3], id)
    redis.call('HSET', KEYS[2], id, '')
    redis.call('HDEL', KEYS[3], id)
    redis.call('ZADD', KEYS[4], version, id)
    redis.call('HINCRBY', KEYS[1], 'identities', -1)
    redis.call('HINCRBY', KEYS[1], 'saved', -faces)
    redis.call('HINCRBY', KEYS[1], 'forgotten', faces)
  end
end
redis.call('HSET', KEYS[1], 'version', version)
"""
"""Arguments: ids."""
