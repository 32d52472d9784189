import type { RedisConnection, RedisServer } from "./redis-connection.ts";

/** How long new events wait at most for those of an earlier life, ms; how much earlier than the last router one was heard of that is still waited for, s. */
export const RESTORING = "2000";
export const LATELY = "15";

/** Lua that runs inside Redis, as one step. */
export interface RedisScript { readonly text: string }

/** For scripts that make room, or write little that all depends on: they run when the memory is full and an append would fail. Comes first. */
export const evenWhenFull = "#!lua flags=allow-oom\n";

/**
 * What scripts begin with: nothing is written into another life of a log, before it is known that this server has all that was seen of it, or by who led it
 * once. KEYS[1] meta. ARGV epoch, primary, token of the lead ("" for none).
 */
export const guarded = `
local known = redis.call('HMGET', KEYS[1], 'epoch', 'primary', 'lead')
if known[1] ~= ARGV[1] then return {'epoch', known[1] or ''} end
if known[2] ~= ARGV[2] then return {'primary', known[2] or ''} end
if ARGV[3] ~= '' and tonumber(known[3] or 0) > tonumber(ARGV[3]) then return {'lead', known[3]} end
local function text(number) return string.format('%.0f', number) end
`;

/**
 * Appends what was admitted, if all is still as the admission took it to be; else says how it is. Lua does not roll back: what can be refused is refused
 * before the first write, and the write that may fail comes first.
 * KEYS meta, log, marks, ids, streams, then a list for each event stream. ARGV (behind the guard's) name of this write, "1" if it restores what an earlier life had; for marks, ids and streams each: a count,
 * names, expected values ("" for none); then blocks (count, size, from, to, text), marks (name, seq behind the head or "", rest), ids (name, seq behind the
 * head), streams (name, length, count, seqs behind the head), each with their count before them.
 */
export const appendScript: RedisScript = { text: `${guarded}
local restoring = tonumber(redis.call('HGET', KEYS[1], 'restoring') or 0)
if restoring > 0 and ARGV[5] == '' then
  local time = redis.call('TIME')
  local left = restoring - tonumber(time[1]) * 1000 - math.floor(tonumber(time[2]) / 1000)
  if left > 0 then return {'wait', text(left)} end
  redis.call('HDEL', KEYS[1], 'restoring')
end
local at = 6
local function take() at = at + 1 return ARGV[at - 1] end
local stale = false
local found = {}
for part = 1, 3 do
  local count = tonumber(take())
  local values = {}
  for from = 0, count - 1, 1000 do
    local to = math.min(from + 1000, count) - 1
    local read = redis.call('HMGET', KEYS[part + 2], unpack(ARGV, at + from, at + to))
    for i = 0, to - from do
      local value = read[i + 1]
      values[from + i + 1] = value
      if (value or '') ~= ARGV[at + count + from + i] then stale = true end
    end
  end
  at = at + 2 * count
  found[part] = values
end
local meta = redis.call('HMGET', KEYS[1], 'head', 'offset', 'time')
if stale then return {'stale', meta[1], found[1], found[2], found[3]} end

local before = tonumber(meta[1])
local head, offset, time = before, tonumber(meta[2]), tonumber(meta[3])
for block = 1, tonumber(take()) do
  local last = head + tonumber(take())
  local size, from, to, lines = tonumber(take()), tonumber(take()), tonumber(take()), take()
  local fields = {'e', ARGV[1], 'w', ARGV[4], 'o', text(offset), 'l', lines}
  if from < time then fields[9], fields[10] = 't', text(time) end
  redis.call('XADD', KEYS[2], text(last) .. '-0', unpack(fields))
  local low = head + 1
  while low <= last do
    local digits = #text(low)
    local high = math.min(last, 10 ^ digits - 1)
    size = size + (high - low + 1) * digits
    low = high + 1
  end
  head, offset, time = last, offset + size, math.max(time, to)
end
-- Also if nothing came: who waits for replicas waits for a write of this connection.
redis.call('HSET', KEYS[1], 'head', text(head), 'offset', text(offset), 'time', text(time))
if head > before then redis.call('HSET', KEYS[1], 'last', ARGV[4]) end
for mark = 1, tonumber(take()) do
  local name, behind, rest = take(), take(), take()
  redis.call('HSET', KEYS[3], name, (behind == '' and '' or text(before + tonumber(behind))) .. rest)
end
for id = 1, tonumber(take()) do
  local name, behind = take(), take()
  redis.call('HSET', KEYS[4], name, text(before + tonumber(behind)))
end
for stream = 1, tonumber(take()) do
  redis.call('HSET', KEYS[5], take(), take())
  for seq = 1, tonumber(take()) do redis.call('RPUSH', KEYS[5 + stream], text(before + tonumber(take()))) end
end
return {'ok', meta[1], meta[2], meta[3]}
` };

/**
 * Opens a log, made if it is not there, and says how it stands. What an older life left behind goes: a server that evicts keys can lose the one without
 * the other. KEYS meta, log, marks, ids, streams, bookmarks, control, restored. ARGV epoch for a new one, primary, what the keys of event streams begin with, "1" if who opens it
 * knows an earlier life: then the others may too, and write again what they have of it before anything new comes.
 */
export const openScript: RedisScript = { text: `${evenWhenFull}
if redis.call('HEXISTS', KEYS[1], 'epoch') == 0 then
  for _, name in ipairs(redis.call('HKEYS', KEYS[5])) do redis.call('DEL', ARGV[3] .. name) end
  redis.call('DEL', unpack(KEYS))
  redis.call('HSET', KEYS[1], 'version', '1', 'epoch', ARGV[1], 'primary', ARGV[2], 'head', '0', 'first', '1', 'offset', '0', 'trimmed', '0', 'time', '0', 'last', '')
  if ARGV[4] == '1' then
    local time = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'restoring', string.format('%.0f', tonumber(time[1]) * 1000 + ${RESTORING}))
  end
end
local control = redis.call('XREVRANGE', KEYS[7], '+', '-', 'COUNT', '1')
local meta = redis.call('HMGET', KEYS[1], 'version', 'epoch', 'head', 'first', 'offset', 'trimmed', 'time', 'last', 'primary')
meta[10] = control[1] and control[1][1] or '0-0'
return meta
` };

/**
 * Takes the oldest events away, and tells the other routers. Blocks of which a part remains stay whole: readers do not see what is before \`first\`.
 * KEYS meta, log, streams, control, then a list for each event stream. ARGV (behind the guard's) first that stays, size of all before it, then for each
 * event stream its name and the last version that goes.
 */
export const trimScript: RedisScript = { text: `${evenWhenFull}${guarded}
local now = redis.call('HMGET', KEYS[1], 'first', 'trimmed')
if tonumber(ARGV[4]) > tonumber(now[1]) then
  redis.call('HSET', KEYS[1], 'first', ARGV[4], 'trimmed', ARGV[5])
  redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4])
  for stream = 5, #KEYS do
    local name, version = ARGV[2 * stream - 4], tonumber(ARGV[2 * stream - 3])
    local gone = (tonumber(redis.call('HGET', KEYS[3], name)) or 0) - redis.call('LLEN', KEYS[stream])
    if version >= gone then redis.call('LTRIM', KEYS[stream], version + 1 - gone, -1) end
  end
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', '256', '*', 'first', ARGV[4], 'trimmed', ARGV[5])
  now = {ARGV[4], ARGV[5]}
end
return {'ok', now[1], now[2]}
` };

/** Writes and removes bookmarks. KEYS meta, bookmarks. ARGV (behind the guard's) for each its key, whether it stays ("1"), its value. */
export const bookmarkScript: RedisScript = { text: `${evenWhenFull}${guarded}
for at = 4, #ARGV, 3 do
  if ARGV[at + 1] == '1' then redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 2]) else redis.call('HDEL', KEYS[2], ARGV[at]) end
end
return {'ok'}
` };

/** Whether the log is the one that was opened, and a sign of life of who asks. KEYS meta, present. ARGV name; "" for no sign. */
export const lookScript: RedisScript = { text: `${evenWhenFull}
if ARGV[1] ~= '' then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[2], time[1], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(time[1]) - 60)
end
return redis.call('HGET', KEYS[1], 'epoch')
` };

/**
 * Who asks has written again what it had of an earlier life of the log; when all have that were there lately, new events may come.
 * KEYS meta, present, restored. ARGV name.
 */
export const restoredScript: RedisScript = { text: `${evenWhenFull}
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('EXPIRE', KEYS[3], 60)
local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if not last[2] then return 0 end
for _, router in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], tonumber(last[2]) - ${LATELY}, '+inf')) do
  if redis.call('SISMEMBER', KEYS[3], router) == 0 then return 0 end
end
return redis.call('HDEL', KEYS[1], 'restoring')
` };

/** Runs scripts by their digests, which Redis tells; it may forget them at any time (SCRIPT FLUSH, a restart, a failover). */
export class RedisScripts {
  readonly #connection: RedisConnection;
  readonly #digests = new Map<RedisScript, string>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async run<T>(script: RedisScript, keys: readonly string[], args: (server: RedisServer) => readonly string[], options: { again?: boolean } = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      let digest = this.#digests.get(script);
      if (digest === undefined) this.#digests.set(script, (digest = await this.#connection.send<string>(["SCRIPT", "LOAD", script.text], { again: true })));
      try {
        return await this.#connection.send<T>((server) => ["EVALSHA", digest, String(keys.length), ...keys, ...args(server)], options);
      } catch (error) {
        // Another may flush them again and again, though hardly on purpose.
        if (!(error as Error).message.startsWith("NOSCRIPT") || attempt === 5) throw error;
        this.#digests.delete(script);
      }
    }
  }
}
