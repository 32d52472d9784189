import { evenWhenFull, guarded, type RedisScript } from "./redis-scripts.ts";

/** Gives the lead to who asks if nobody has it, and tells who has it. By Redis' clock. KEYS meta. ARGV (behind the guard's) name, ms. */
export const claimScript: RedisScript = { text: `${evenWhenFull}${guarded}
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local lead = redis.call('HMGET', KEYS[1], 'lead', 'leader', 'until', 'head')
local token, lasts = tonumber(lead[1] or 0), tonumber(lead[3] or 0)
if lasts > now and lead[2] ~= ARGV[4] then return {'ok', lead[2], lead[1], text(lasts - now), lead[4]} end
if lasts <= now then token = token + 1 end
redis.call('HSET', KEYS[1], 'lead', text(token), 'leader', ARGV[4], 'until', text(now + tonumber(ARGV[5])))
return {'ok', ARGV[4], text(token), ARGV[5], lead[4]}
` };

/** Gives the lead back, if it is still had. KEYS meta. ARGV (behind the guard's) name, token. */
export const releaseScript: RedisScript = { text: `${evenWhenFull}${guarded}
local lead = redis.call('HMGET', KEYS[1], 'lead', 'leader')
if lead[1] == ARGV[5] and lead[2] == ARGV[4] then redis.call('HSET', KEYS[1], 'until', '0', 'leader', '') end
return {'ok'}
` };
