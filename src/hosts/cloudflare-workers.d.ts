/** The class that a Durable Object must extend to be called by others. Whoever uses the built package has the platform's own declaration. */
declare module "cloudflare:workers" {
  export class DurableObject<Env = unknown> {
    protected readonly env: Env;
    constructor(ctx: unknown, env: Env);
  }
}
