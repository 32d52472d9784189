import { describe, test } from "vitest";
import { outboxContract } from "../contract/outbox/outbox-contract.ts";

describe("outbox in SQLite", () => outboxContract({ test }));
