import { Hono } from "hono";
import { VERSION } from "../../core/version.ts";
import { docsPage } from "../openapi/docs-page.ts";
import { openApiDocument } from "../openapi/document.ts";

/** What the page may do: show itself. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /openapi.json` and `GET /docs`: what the API is, for whoever asks. Made at the first question, and kept. */
export function docsRoutes(): Hono {
  const app = new Hono();
  let made: { readonly json: string; readonly page: string } | undefined;
  const make = (): { readonly json: string; readonly page: string } => {
    if (made !== undefined) return made;
    const document = openApiDocument(VERSION);
    return (made = { json: JSON.stringify(document), page: docsPage(document) });
  };
  app.get("/openapi.json", (c) => c.body(make().json, 200, { "Content-Type": "application/json", "Cache-Control": "no-cache" }));
  app.get("/docs", (c) => c.body(make().page, 200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache" }));
  return app;
}
