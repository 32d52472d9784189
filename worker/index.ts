/**
 * The router on Cloudflare: `npx wrangler deploy`. Who may do what, and what the logs keep, is set in `wrangler.toml` and with `wrangler secret put`;
 * docs/edge.md says how. Options in code: `createWorker({ … })`, and export its `EventRouterObject`.
 */
import { createWorker } from "../src/hosts/worker.ts";

export { EventRouterObject } from "../src/hosts/worker.ts";
export default createWorker();
