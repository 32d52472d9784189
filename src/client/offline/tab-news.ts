import { fromWire, toWire, type EventRouterError, type WireError } from "../../core/errors.ts";
import { settledReceipt, type Receipt } from "../receipt.ts";
import type { Entry } from "./entry.ts";

/** What the tabs of one outbox tell each other. */
export type TabNews =
  | readonly ["ask"]
  | readonly ["here"]
  | readonly ["noted"]
  | readonly ["settled", from: number, to: number, outcome: readonly Omit<Receipt, "settled">[] | WireError];

export type SettledNews = Extract<TabNews, readonly ["settled", ...unknown[]]>;

export function settledNews({ from, to }: Entry, outcome: Receipt[] | EventRouterError): SettledNews {
  return ["settled", from, to, Array.isArray(outcome) ? outcome.map((receipt) => ({ ...receipt })) : toWire(outcome)];
}

/** What became of it, as it was told. */
export function outcomeOf([, , , outcome]: SettledNews): Receipt[] | EventRouterError {
  return isWire(outcome) ? fromWire(outcome) : outcome.map(settledReceipt);
}

const isWire = (outcome: readonly unknown[]): outcome is WireError => typeof outcome[0] === "string";
