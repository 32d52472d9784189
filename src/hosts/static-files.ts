import { statSync } from "node:fs";
import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";
import { ValidationError } from "../core/errors.ts";

/** A bundler's name for a file that never changes: `main-BxK3f_9q.js`. */
const HASHED = /[-.][\w-]{8,}\.\w+$/;

/**
 * The files of a directory. A page of it talks to the server it came from and to nothing else.
 * @throws ValidationError `ERR_OPTION` if it is no directory.
 */
export function staticFiles(directory: string): MiddlewareHandler {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw new ValidationError("ERR_OPTION", `staticFiles: ${directory} is no directory; build the page first, or name another`, { details: { path: "staticFiles" } });
  const files = serveStatic({
    root: directory,
    onFound(path, c) {
      c.header("Cache-Control", HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache");
      if (path.endsWith(".html")) c.header("Content-Security-Policy", contentSecurityPolicy(c.req.header("Host")));
    },
  });
  // Files that begin with a dot are a directory's own affair.
  return (c, next) => (/\/\./.test(c.req.path) ? next() : files(c, next));
}

/** `self` does not mean WebSockets in every browser, so they are named. */
function contentSecurityPolicy(host: string | undefined): string {
  const sockets = host !== undefined && /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : "";
  return [
    "default-src 'self'", `connect-src 'self'${sockets}`, "style-src 'self' 'unsafe-inline'", "img-src 'self' data:",
    "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
  ].join("; ");
}
