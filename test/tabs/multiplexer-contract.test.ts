import { describe, test } from "vitest";
import { routerContract } from "../contract/router/router-contract.ts";
import { multiplexed } from "./homes.ts";

describe("through a multiplexer, one connection for all clients", () => routerContract({ test }, multiplexed));
