import type { EventInit } from "../core/event.ts";
import { check, checkHeaders, encodePayload } from "./check-event.ts";
import { checkOptions } from "./check-options.ts";

/** What goes with a publish and is no field of the event; with `!` what later versions have. */
const OPTIONS = "ephemeral timeout signal delay! deliverAt! ttl!";

/**
 * The line of an event without its `["id",`, made once.
 * @throws ValidationError naming the field that is wrong.
 */
export function encodeEvent(event: EventInit): string {
  const { type } = event;
  check(type, "type");
  let meta: Record<string, unknown> | undefined;
  for (const key in event) {
    const value = (event as unknown as Record<string, unknown>)[key];
    if (value === undefined || key === "type" || key === "payload") continue;
    switch (key) {
      case "headers": checkHeaders(value); break;
      case "source": case "target": case "correlationId": case "priority": check(value, key); break;
      case "id": check(value, key); continue;
      default: checkOptions({ [key]: value }, OPTIONS, "publish"); continue;
    }
    (meta ??= {})[key] = value;
  }
  // The type has nothing to escape: it was checked.
  const body = `"${type}",${encodePayload(event.payload)}`;
  return meta === undefined ? `${body}]` : `${body},${JSON.stringify(meta)}]`;
}
