import { describe, test } from "vitest";
import { homes } from "../contract/router/homes.ts";
import { routerContract } from "../contract/router/router-contract.ts";

for (const { name, make } of homes) describe(name, () => routerContract({ test }, make));
