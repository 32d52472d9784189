import { ValidationError } from "../core/errors.ts";
import type { RedisAddress } from "./redis-client.ts";

/** What a URL may say besides where Redis is: `redis://host:6379/0?durability=replicated&replicas=2&prefix=app:`. */
export interface RedisTarget {
  readonly address: RedisAddress;
  readonly durability?: "replicated";
  readonly replicas?: number;
  readonly prefix?: string;
}

/** @throws ValidationError `ERR_OPTION` saying what is right. */
export function readTarget(target: string | RedisAddress): RedisTarget {
  const given = typeof target === "string" ? { url: target } : target;
  if (given.url === undefined) return { address: given };
  if (!/^rediss?:\/\//.test(given.url) || !URL.canParse(given.url)) throw wrong(`a Redis store is named as redis://host:6379 or rediss://host:6379, also with user:password@ before the host; got ${JSON.stringify(withoutSecrets(given.url))}`);
  const url = new URL(given.url);
  const { durability, replicas, prefix, ...rest } = Object.fromEntries(url.searchParams);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw wrong(`a Redis store's URL may say durability, replicas and prefix, and not ${unknown}`);
  if (durability !== undefined && durability !== "replicated") throw wrong(`durability of a Redis store can be asked to be "replicated"; otherwise it is what Redis is set to. Got ${JSON.stringify(durability)}`);
  if (replicas !== undefined && !/^[1-9]\d{0,2}$/.test(replicas)) throw wrong(`replicas must be a whole number, 1 or more; got ${JSON.stringify(replicas)}`);
  url.search = "";
  return {
    address: { ...given, url: url.href },
    ...(durability !== undefined && { durability }), ...(replicas !== undefined && { replicas: Number(replicas) }), ...(prefix !== undefined && { prefix }),
  };
}

/** A URL as it may be shown. */
export function withoutSecrets(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, "$1");
}

function wrong(message: string): ValidationError {
  return new ValidationError("ERR_OPTION", message, { details: { path: "store" } });
}
