import type { Suite } from "../suite.ts";
import { appending } from "./appending.ts";
import { bookmarking } from "./bookmarking.ts";
import { kit, type StoreFactory } from "./kit.ts";
import { living } from "./living.ts";
import { model, type FastCheck } from "./model.ts";
import { reading } from "./reading.ts";
import { repeats } from "./repeats.ts";
import { streaming } from "./streaming.ts";
import { trimming } from "./trimming.ts";
import { watching } from "./watching.ts";

/**
 * What every store must do. It uses nothing of the platform, so that it runs in vitest, in Deno, Bun and workerd, and in a page.
 *
 * @example
 * storeContract({ test }, { durable: false, make: async (onError) => … }, fc);
 */
export function storeContract(suite: Suite, factory: StoreFactory, fc: FastCheck): void {
  const tests = kit(suite, factory);
  for (const part of [appending, repeats, reading, watching, trimming, bookmarking, streaming, living]) part(tests);
  model(tests, fc);
}
