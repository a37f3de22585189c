"""Lua scripts: steps that the Redis server runs alone."""

KEYS = (
    "meta",
    "rows",
    "changed",
    "calls",
    "records",
    "appearances",
    "owners",
    "portraits",
    "events",
    "of",
)
"""Hash of settings, version and counters; hash id -> row, empty where it is not there any more;
sorted set of ids by the version of their last change; hash key of a call -> its number; hash
number of a call -> its record; hash call:row -> record of an appearance; hash call:row -> identity;
hash call:row -> portrait; list of the log's entries; and the beginning of the names of sets, one an
identity, of its call:row."""

CHANGES = """
local newest = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local entries = redis.call('LRANGE', KEYS[9], ARGV[2], -1)
local length = redis.call('LLEN', KEYS[9])
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[3])
if #ids == 0 then return {newest, newest, {}, {}, entries, length} end
local reached = redis.call('ZSCORE', KEYS[3], ids[#ids])
return {newest, reached, ids, redis.call('HMGET', KEYS[2], unpack(ids)), entries, length}
"""
"""Arguments: the version known, the length of the log known, how many rows at most."""

WRITE = """
local at = 0
local function take() at = at + 1; return ARGV[at] end
local function each(do_one) for _ = 1, tonumber(take()) do do_one() end end

local key, record = take(), take()
if key ~= '' then
  local known = redis.call('HGET', KEYS[4], key)
  if known then return redis.call('HGET', KEYS[5], known) end
end
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local wanted, events, number = take(), take(), take()
if wanted ~= '' and tonumber(wanted) ~= version then return false end
if tonumber(events) ~= redis.call('LLEN', KEYS[9]) then return false end
local calls = tonumber(redis.call('HGET', KEYS[1], 'calls') or '0')
if number ~= '' and tonumber(number) ~= calls + 1 then return false end

each(function()
  local id, row = take(), take()
  version = version + 1
  redis.call('HSET', KEYS[2], id, row)
  redis.call('ZADD', KEYS[3], version, id)
end)
redis.call('HSET', KEYS[1], 'version', version)
each(function() redis.call('HINCRBY', KEYS[1], take(), take()) end)
local call = 0
if key ~= '' then
  call = redis.call('HINCRBY', KEYS[1], 'calls', 1)
  redis.call('HSET', KEYS[4], key, call)
  redis.call('HSET', KEYS[5], call, record)
end
local row = 0
each(function()
  local id, place, appearance, jpeg = take(), call .. ':' .. row, take(), take()
  redis.call('HSET', KEYS[6], place, appearance)
  redis.call('HSET', KEYS[7], place, id)
  redis.call('SADD', KEYS[10] .. ':' .. id, place)
  if jpeg ~= '' then redis.call('HSET', KEYS[8], place, jpeg) end
  row = row + 1
end)
each(function()
  local place, id = take(), take()
  redis.call('SREM', KEYS[10] .. ':' .. redis.call('HGET', KEYS[7], place), place)
  redis.call('SADD', KEYS[10] .. ':' .. id, place)
  redis.call('HSET', KEYS[7], place, id)
end)
each(function()
  local place = take()
  redis.call('SREM', KEYS[10] .. ':' .. redis.call('HGET', KEYS[7], place), place)
  redis.call('HDEL', KEYS[6], place)
  redis.call('HDEL', KEYS[7], place)
  redis.call('HDEL', KEYS[8], place)
  redis.call('HINCRBY', KEYS[1], 'unclean', 1)
end)
each(function() redis.call('RPUSH', KEYS[9], take()) end)
each(function() redis.call('LSET', KEYS[9], tonumber(take()) - 1, take()) end)
return record
"""
"""Counts in `unclean` what was erased since the server's files were written anew.

Arguments: key of a call or nothing, its record; version or nothing, length of the log, number
that the call must get or nothing. Then groups, each after its number: ids and rows; counters and
what is added; identity, record and portrait of each appearance; call:row and identity of those that
moved; call:row of those erased; entries; numbers and entries that are rewritten."""

CLEAN = """
if redis.call('HGET', KEYS[1], 'unclean') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'unclean')
end
"""
"""Argument: `unclean` when files began to be written anew; where it is more now, it stays."""
