import type { Suite } from "../suite.ts";
import type { Home, MakeHome } from "./kit.ts";
import { asking } from "./asking.ts";
import { breaking } from "./breaking.ts";
import { managing } from "./managing.ts";
import { publishing } from "./publishing.ts";
import { seed } from "./seed.ts";
import { seedAgents } from "./seed-agents.ts";
import { seedFailures } from "./seed-failures.ts";
import { seedSagas } from "./seed-sagas.ts";
import { seedStreams } from "./seed-streams.ts";
import { streaming } from "./streaming.ts";
import { subscribing } from "./subscribing.ts";
import { working } from "./working.ts";

/** One case: a fresh home, closed behind it. */
export type Case = (name: string, run: (home: Home) => Promise<void>, options?: Parameters<MakeHome>[0]) => void;

/** What every home of a router must show, on the public client alone. */
export function routerContract({ test }: Suite, make: MakeHome): void {
  const inHome: Case = (name, run, options) => test(name, async () => {
    const home = await make(options);
    try {
      await run(home);
    } finally {
      await home.close();
    }
  });
  publishing(inHome);
  subscribing(inHome);
  asking(inHome);
  streaming(inHome);
  working(inHome);
  managing(inHome);
  breaking(inHome);
  seed(inHome);
  seedFailures(inHome);
  seedAgents(inHome);
  seedStreams(inHome);
  seedSagas(inHome);
}
