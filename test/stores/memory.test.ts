import fc from "fast-check";
import { test } from "vitest";
import { memory } from "../contract/store/factories.ts";
import { storeContract } from "../contract/store/store-contract.ts";

storeContract({ test }, memory, fc);
