import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * An origin of its own (a port that stays the same until `close`) whose only page is empty, and which serves bundled modules: what a test does in a page is an
 * exported function of such a module, called by `Tab.call(module, name, ...args)`. A module may as well be a worker's script.
 */
export class PageStage {
  readonly #server: Server;
  readonly #files = new Map<string, { readonly body: Uint8Array | string; readonly type: string }>([["/", { body: "<!doctype html><title>page</title>", type: "text/html" }]]);

  private constructor() {
    this.#server = createServer((request, response) => {
      const file = this.#files.get(new URL(request.url ?? "/", "http://page").pathname);
      response.writeHead(file === undefined ? 404 : 200, { "content-type": file?.type ?? "text/plain", "cache-control": "no-store" });
      response.end(file?.body ?? "not found");
    });
  }

  /** @param modules files by their path from the package's root; each is served under its base name: `test/browser/page/store.ts` as `/store.js`. */
  static async start(...modules: string[]): Promise<PageStage> {
    const stage = new PageStage();
    const { outputFiles } = await build({
      entryPoints: modules, absWorkingDir: root, outdir: root, entryNames: "[name]", chunkNames: "chunk-[hash]",
      bundle: true, splitting: true, format: "esm", platform: "browser", target: "es2022", write: false, sourcemap: "inline", legalComments: "none",
    });
    for (const { path, contents } of outputFiles) stage.#files.set(`/${relative(root, path)}`, { body: contents, type: "text/javascript" });
    await new Promise<void>((resolve) => stage.#server.listen(0, "127.0.0.1", resolve));
    return stage;
  }

  get origin(): string { return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; }
  get url(): string { return `${this.origin}/`; }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
