// The event of all benches: 200 bytes of JSON as a subscriber gets it, whoever the contender is.
const SIZE = 200;

/** As a contender without an envelope of its own sends it. */
export const eventJson = (() => {
  const event = { id: "01JD00000000000000000000AA", type: "user.created", source: "order_service", priority: 7, time: 1_732_350_000_000, payload: { id: 123, amount: 99.5, note: "" } };
  event.payload.note = "x".repeat(SIZE - JSON.stringify(event).length);
  return JSON.stringify(event);
})();

/** Ours: id, seq, time and publisher are in the line that a subscriber gets, so the payload is what makes up for them at a seq of six digits. */
export const ourPayload = (() => {
  const payload = { id: 123, amount: 99.5, note: "" };
  const line = `[123456,1795450137760,0,"evt_${"0".repeat(25)}","user.created",${JSON.stringify(payload)},{"source":"order_service","priority":7}]`;
  payload.note = "x".repeat(SIZE - line.length);
  return payload;
})();
export const ourMeta = { source: "order_service", priority: 7 };
/** What stands behind the id in our publisher's line. */
export const ourRest = `"user.created",${JSON.stringify(ourPayload)},${JSON.stringify(ourMeta)}]`;
