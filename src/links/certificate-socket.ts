import { ConnectionError } from "../core/errors.ts";
import type { WebSocketConstructor } from "./websocket-like.ts";

/** A client's certificate and key, and the authority that signed its router's: each PEM text, or the path of a file with it. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Default: the authorities that the platform trusts. */
  readonly ca?: string | undefined;
}

/** The part of Node that is used; asked for at run time, so that a bundler for browsers finds nothing to resolve. */
interface Platform { getBuiltinModule?(name: "node:fs"): { readFileSync(path: string, encoding: "utf8"): string } | undefined }

/**
 * A WebSocket that shows a certificate (mTLS). The files are read for each connection: one that is renewed in time needs no new client.
 * @throws ConnectionError `ERR_MTLS` where the platform cannot do that.
 */
export async function certificateSocket(files: CertificateFiles, url: string | undefined): Promise<WebSocketConstructor> {
  const fs = (globalThis as { process?: Platform }).process?.getBuiltinModule?.("node:fs");
  if (fs === undefined) throw new ConnectionError("ERR_MTLS", 'auth: { type: "mtls" } works on servers, in Node; a browser chooses its certificate by itself when the router asks for one, so leave out auth there');
  if (!url?.startsWith("wss:")) throw new ConnectionError("ERR_MTLS", `a certificate can only be shown over TLS; give the router's url as wss://…${url === undefined ? "" : ` (it is ${url})`}`);
  const { WebSocket } = await import("ws");
  const read = (what: keyof CertificateFiles): string | undefined => {
    const text = files[what];
    if (text === undefined || text.includes("-----BEGIN ")) return text;
    try {
      return fs.readFileSync(text, "utf8");
    } catch (cause) {
      throw new ConnectionError("ERR_MTLS", `auth.${what}: ${text.slice(0, 200)} cannot be read; give PEM text or the path of a file with it`, { cause });
    }
  };
  for (const what of ["cert", "key", "ca"] as const) read(what);
  return class extends WebSocket {
    constructor(address: string) {
      super(address, { cert: read("cert"), key: read("key"), ca: read("ca") });
    }
  } as unknown as WebSocketConstructor;
}
