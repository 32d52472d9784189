/** What a click puts into the publish form. */
export interface Example {
  readonly type: string;
  readonly payload: unknown;
  readonly priority?: number;
  readonly source?: string;
  readonly correlationId?: string;
}

export const examples: readonly Example[] = [
  { type: "order.placed", payload: { orderId: 456, total: 99.99, currency: "CAD" } },
  { type: "user.created", payload: { id: 123, name: "Alice", roles: ["editor"] } },
  { type: "alert.raised", payload: { room: "server-2", celsius: 41.5, limit: 35 }, priority: 9, source: "thermostat", correlationId: "req-789" },
];

/** A hundred readings of five sensors, for the batch button: something to filter. */
export function sensorBatch(): [type: string, payload: unknown][] {
  return Array.from({ length: 100 }, (_, i) => [
    `sensor.${["north", "east", "south", "west", "roof"][i % 5]!}.reading`,
    { reading: i, celsius: Math.round(200 + 30 * Math.sin(i / 8)) / 10 },
  ]);
}
