/** From nothing to the first event, over a WebSocket, as a page would: ms. */
export async function coldStart(url: string): Promise<{ load: number; first: number; total: number }> {
  const begun = performance.now();
  const { EventRouterClient } = await import("../../../src/index.ts");
  const load = performance.now() - begun;
  const client = new EventRouterClient({ url });
  await new Promise<void>((resolve, reject) => {
    client.on("user.created", () => resolve());
    client.publish("user.created", { id: 1 }).catch(reject);
  });
  const total = performance.now() - begun;
  await client.close();
  return { load, first: total - load, total };
}
