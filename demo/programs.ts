import type { EventFilter } from "../src/index.ts";
import type { Address } from "./address.ts";

/** How a program reaches the router that the page talks to. */
export interface Reach extends Pick<Address, "url" | "namespace" | "transport"> {
  readonly encrypted: boolean;
  readonly credential: "none" | "key" | "token";
}

const json = (value: unknown): string => JSON.stringify(value);

/** `{ a: 1, b: 2 }` of those that are said. */
const object = (...members: (string | false | undefined)[]): string => {
  const said = members.filter((member) => typeof member === "string");
  return said.length === 0 ? "{}" : `{ ${said.join(", ")} }`;
};

/** The first lines of each program. @param socket a constructor in place of the platform's. */
function begin({ url, namespace, transport, encrypted, credential }: Reach, socket?: string, ...imports: string[]): string[] {
  return [
    `import { ${["EventRouterClient", ...imports].join(", ")} } from "@gadugi/event-router";`,
    "",
    `await using client = new EventRouterClient(${object(
      transport === "memory" && socket === undefined ? 'transport: "memory"' : `url: ${json(url)}`,
      socket !== undefined && `WebSocket: ${socket}`,
      namespace !== "default" && `namespace: ${json(namespace)}`,
      credential === "token" && 'auth: { type: "jwt", token: process.env.EVENT_ROUTER_TOKEN! }',
      credential === "key" && 'auth: { type: "api_key", key: process.env.EVENT_ROUTER_API_KEY! }',
      encrypted && "encryption: { key: process.env.EVENT_KEY! }",
    )});`,
    "",
  ];
}

export interface Tail { readonly topics: readonly string[]; readonly filter: EventFilter | undefined; readonly from: "now" | "start" }
/** What is in the publish form: the payload as it is written, of the options only those that are said. */
export interface Draft { readonly type: string; readonly payload: string; readonly options: { readonly priority?: number; readonly source?: string; readonly correlationId?: string } }

export const liveProgram = (reach: Reach, { topics, filter, from }: Tail, { type, payload, options }: Draft): string => lines(
  ...begin(reach),
  `const events = await client.subscribe(${object(`topics: ${json(topics.length === 1 ? topics[0] : topics)}`, filter !== undefined && `filter: ${json(filter)}`, from !== "now" && `from: ${json(from)}`)});`,
  `const receipt = await client.publish(${[json(type), payload, ...(Object.keys(options).length === 0 ? [] : [json(options)])].join(", ")});`,
  "console.log(receipt.status, receipt.seq);",
  "// Until it is stopped with Ctrl-C.",
  "for await (const event of events) console.log(event.seq, event.type, event.payload);",
);

export const subscriptionsProgram = (reach: Reach): string => lines(
  ...begin(reach, undefined, "ManagementAgent"),
  "const manager = new ManagementAgent(client);",
  "const stats = await manager.getStats();",
  "console.log(`${stats.connections} connections, ${stats.eventsDelivered} delivered, ${stats.queueDepth} waiting`);",
  "for (const { topics, name, group, durable, lag, inFlight } of await manager.listSubscriptions()) {",
  '  console.log(topics.join(" "), { reader: name ?? "nobody now", kind: group ?? durable ?? "live", lag, inFlight });',
  "}",
);

export const deadLettersProgram = (reach: Reach): string => lines(
  ...begin(reach, undefined, "ManagementAgent"),
  "let broken = true;",
  "await client.subscribe({",
  '  topics: "fragile.task", group: "fragile-program", retry: { maxRetries: 0 },',
  '  handler: () => { if (broken) throw new Error("the warehouse does not answer"); },',
  "});",
  'await client.publish("fragile.task", { task: "pack", orderId: 456 });',
  "",
  "const manager = new ManagementAgent(client);",
  'const failed = () => manager.getDeadLetterQueue({ subscription: "group:fragile-program" });',
  "while ((await failed()).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));",
  "for (const letter of await failed()) console.log(letter.type, letter.lastError, letter.attempts);",
  "",
  "broken = false;",
  "// To the subscription that failed, and to no other. What nobody wants any more: discardFailedEvents.",
  "const { retrying } = await manager.retryFailedEvents({ eventIds: (await failed()).map(({ deadLetterId }) => deadLetterId) });",
  "console.log(`${retrying.length} retried`);",
);

export const streamsProgram = (reach: Reach, name: string): string => lines(
  ...begin(reach),
  `const stream = client.eventStream(${json(name)});`,
  'const [last] = await stream.read({ direction: "backward", limit: 1 });',
  "// If another has written meanwhile, this is a ConflictError, and nothing is stored.",
  'await stream.append("order.noted", { note: "from a program" }, { expectedVersion: last?.version ?? "no-stream" });',
  "for (const event of await stream.read()) console.log(event.version, event.type, event.payload);",
);

export const sagasProgram = (reach: Reach, name: string): string => lines(
  ...begin(reach),
  "interface Order { readonly order: string; readonly total: number }",
  "",
  `const saga = client.saga(${json(name)}, {`,
  "  correlate: ({ payload }) => (payload as Order).order,",
  '  timeout: "10m",',
  "  steps: {",
  '    "program.order.created": {',
  "      start: true,",
  '      run: (event, saga) => saga.publish("program.payment.process", event.payload),',
  '      compensate: (saga) => saga.publish("program.order.cancelled", { order: saga.key }),',
  "    },",
  '    "program.payment.completed": (_event, saga) => saga.complete(),',
  '    "program.payment.failed": (_event, saga) => saga.compensate("the card was declined"),',
  "  },",
  "});",
  "// Who is asked to pay: another process, as a rule.",
  'const clerk = client.on("program.payment.process", { group: "program-payments" }, async ({ id, payload }) => {',
  '  const answer = (payload as Order).total > 1_000 ? "failed" : "completed";',
  "  await client.publish(`program.payment.${answer}`, payload, { id: `${id}.answer` });",
  "});",
  "await Promise.all([saga.ready, clerk.ready]);",
  "",
  `const ends = await client.subscribe(["completed", "compensated", "failed"].map((end) => \`saga.\${${json(name)}}.\${end}\`));`,
  "const orders = [99, 5_000].map((total) => ({ order: crypto.randomUUID(), total }));",
  'for (const order of orders) await client.publish("program.order.created", order);',
  "let open = orders.length;",
  "for await (const { payload } of ends) {",
  "  if (orders.some(({ order }) => order === (payload as { key: string }).key) && --open === 0) break;",
  "}",
  `for (const { order } of orders) console.log(order, (await client.sagas(${json(name)}).get(order))?.status);`,
);

export const requestsProgram = (reach: Reach, type: string, payload: string, timeout: string): string => lines(
  ...begin(reach),
  ...(type !== "calculator.add" ? ["// Without somebody who answers, this is a NoRespondersError at once."] : [
    'await client.respond("calculator.add", ({ payload }) => {',
    "  const { x, y } = payload as { x: number; y: number };",
    "  return { result: x + y };",
    "}).ready;",
    "",
  ]),
  `const response = await client.request(${json(type)}, ${payload}, { timeout: ${json(timeout)} });`,
  "console.log(response.payload);",
);

export const chartsProgram = (reach: Reach): string => lines(
  ...begin(reach),
  'await client.subscribe("program.probe", ({ payload }) => {',
  "  console.log(`${(performance.now() - (payload as number)).toFixed(1)} ms there and back`);",
  "});",
  "setInterval(() => client.publishNowait(\"program.probe\", performance.now(), { ephemeral: true }), 1_000);",
  "// Until it is stopped with Ctrl-C.",
  'for await (const { events } of client.window("**", { size: "1s" })) console.log(`${events.length} events in this second`);',
);

export const scenarioProgram = (reach: Reach, { delay, drop, rate, traffic }: Pick<Address, "delay" | "drop" | "rate" | "traffic">): string => lines(
  ...begin({ ...reach, ...(reach.transport === "memory" && { url: "ws://127.0.0.1:8080" }) }, "BadSocket").map((line, i) => (i === 1 ? lines(
    "",
    `/** What leaves is ${delay} ms late, and of 100 messages ${drop} take the connection with them. */`,
    "class BadSocket extends WebSocket {",
    "  override send(data: string): void {",
    `    if (Math.random() * 100 < ${drop}) return this.close();`,
    `    setTimeout(() => super.send(data), ${delay});`,
    "  }",
    "}",
    "",
  ) : line)),
  `// Nothing that was acknowledged is lost, and each comes in its order.`,
  `await client.subscribe(${json(traffic === "sensors" ? "sensor.**" : "order.*")}, (event) => console.log(event.seq, event.type, event.payload));`,
  "for (let order = 1; ; order++) {",
  traffic === "sensors" ? '  await client.publish("sensor.north.reading", { celsius: 20 + (order % 30) / 10 });' : '  await client.publish("order.placed", { orderId: order, total: order % 400 });',
  `  await new Promise((resolve) => setTimeout(resolve, ${Math.round(1_000 / rate)}));`,
  "}",
);

function lines(...all: string[]): string {
  return `${all.join("\n").trimEnd()}\n`;
}
