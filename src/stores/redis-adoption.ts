import { evenWhenFull, LATELY, RESTORING, type RedisScript } from "./redis-scripts.ts";

/** How long routers that were there lately are waited for, ms. */
const PATIENCE = "2000";

/** Another epoch: whoever has the log open is told, and first of all writes again what it has of the lost end. */
const renewed = `
local function renew(epoch, restored)
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'restoring', string.format('%.0f', tonumber(time[1]) * 1000 + ${RESTORING}))
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', '256', '*', 'epoch', epoch)
  redis.call('DEL', restored)
  return {'lost', epoch}
end
`;

/**
 * Takes a log over to another primary: the one it was on has restarted, or a replica was promoted. What is there may lack the end of what there was, and
 * only the routers know that end: each compares what it has seen, and the first that misses something gives the log another epoch (P9). Nothing is written
 * before all that were there lately have said that they miss nothing, or have had time to; if one of them does not answer, nobody
 * can know what it has shown, and the epoch changes too: unless the same server has restarted, and had every write on its disk before it answered.
 *
 * KEYS meta, log, control, present, vouched, restored. ARGV epoch, primary, "1" if what it once answered cannot be lost, head and name of the last write that was
 * seen ("" for none), epoch for the case of loss, name of who asks.
 */
export const adoptScript: RedisScript = { text: `${evenWhenFull}${renewed}
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'primary', 'head', 'first', 'adopting', 'patience')
if meta[1] ~= ARGV[1] then return {'epoch', meta[1] or ''} end
local lost = tonumber(ARGV[4]) > tonumber(meta[3])
if not lost and ARGV[5] ~= '' and tonumber(ARGV[4]) >= tonumber(meta[4]) then
  local block = redis.call('XRANGE', KEYS[2], ARGV[4], ARGV[4])[1]
  lost = not block or block[2][4] ~= ARGV[5]
end
if not lost and meta[2] == ARGV[2] then return {'ok', ''} end

local function adopt()
  -- Who was given the lead may be lost too, so nobody has it: the token is above all that can have been given.
  local token = (tonumber(redis.call('HGET', KEYS[1], 'lead')) or 0) + 1000
  redis.call('HSET', KEYS[1], 'primary', ARGV[2], 'lead', string.format('%.0f', token), 'leader', '', 'until', '0')
  redis.call('HDEL', KEYS[1], 'adopting', 'patience')
  redis.call('DEL', KEYS[5])
end
if lost then
  adopt()
  return renew(ARGV[6], KEYS[6])
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local patience = tonumber(meta[6])
if meta[5] ~= ARGV[2] then
  patience = now + ${PATIENCE}
  redis.call('DEL', KEYS[5])
  redis.call('HSET', KEYS[1], 'adopting', ARGV[2], 'patience', string.format('%.0f', patience))
end
redis.call('SADD', KEYS[5], ARGV[7])
local last = redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')
local missing = false
if last[2] then
  for _, router in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], tonumber(last[2]) - ${LATELY}, '+inf')) do
    if redis.call('SISMEMBER', KEYS[5], router) == 0 then missing = true end
  end
end
if missing and now < patience then return {'wait', string.format('%.0f', patience - now)} end
adopt()
if missing and ARGV[3] ~= '1' then return renew(ARGV[6], KEYS[6]) end
return {'ok', ''}
` };

/** A part of the log is not there (a server that drops keys): it goes on behind the hole, in another epoch. KEYS meta, log, control, restored. ARGV epoch, new epoch. */
export const renewScript: RedisScript = { text: `${evenWhenFull}${renewed}
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'head', 'offset')
if meta[1] ~= ARGV[1] then return {'epoch', meta[1] or ''} end
local first, trimmed = tonumber(meta[2]) + 1, meta[3]
local upper, whole = '+', true
while whole do
  local blocks = redis.call('XREVRANGE', KEYS[2], upper, '-', 'COUNT', 64)
  whole = #blocks > 0
  for _, block in ipairs(blocks) do
    whole = whole and tonumber(string.match(block[1], '^%d+')) == first - 1
    if not whole then break end
    local fields = {}
    for at = 1, #block[2], 2 do fields[block[2][at]] = block[2][at + 1] end
    local _, breaks = string.gsub(fields['l'], '\\n', '')
    first, trimmed, upper = first - 1 - breaks, fields['o'], '(' .. block[1]
  end
end
redis.call('HSET', KEYS[1], 'first', string.format('%.0f', first), 'trimmed', trimmed)
redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f', first))
return renew(ARGV[2], KEYS[4])
` };
