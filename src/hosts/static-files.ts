import { statSync } from "node:fs";
import { serveStatic } from "@hono/node-server/serve-static";
import type { MiddlewareHandler } from "hono";
import { ValidationError } from "../core/errors.ts";

/** A bundler's name for a file that never changes, as Vite's: `/assets/main-BxK3f_9q.js`. */
const HASHED = /\/assets\/[^/]+-[\w-]{8}\.\w+$/;

/**
 * The files of a directory. A page of it talks to the server it came from and to nothing else.
 * @throws ValidationError `ERR_OPTION` if it is no directory.
 */
export function staticFiles(directory: string): MiddlewareHandler {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw new ValidationError("ERR_OPTION", `staticFiles: ${directory} is no directory; build the page first, or name another`, { details: { path: "staticFiles" } });
  const files = serveStatic({ root: directory });
  return async (c, next) => {
    // Files that begin with a dot are a directory's own affair.
    if (c.req.path.includes("/.")) return next();
    const response = await files(c, next);
    if (!(response instanceof Response)) return;
    response.headers.set("Cache-Control", HASHED.test(c.req.path) ? "public, max-age=31536000, immutable" : "no-cache");
    if (response.headers.get("Content-Type")?.startsWith("text/html")) {
      response.headers.set("Content-Security-Policy", contentSecurityPolicy(c.req.header("Host")));
      response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
      response.headers.set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    }
    return response;
  };
}

/** `self` does not mean WebSockets in every browser, so they are named. */
function contentSecurityPolicy(host: string | undefined): string {
  const sockets = host !== undefined && /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : "";
  return [
    "default-src 'self'", `connect-src 'self'${sockets}`, "style-src 'self'", "img-src 'self' data:",
    "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
  ].join("; ");
}
