import { operations, type Operation } from "./operations.ts";

type Schema = Readonly<Record<string, unknown>>;

/** The description as a page that loads nothing, from here or elsewhere, and runs no script. @param document what `openApiDocument` made */
export function docsPage(document: Readonly<Record<string, unknown>>): string {
  const { title, version, description } = document.info as Record<string, string>;
  const { schemas } = document.components as { schemas: Readonly<Record<string, Schema>> };
  const paths = document.paths as Readonly<Record<string, Readonly<Record<string, { parameters: readonly Schema[]; responses: Readonly<Record<string, { description: string; content?: object }>> }>>>>;
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text(title!)} HTTP API</title><style>${STYLE}</style></head>
<body>
<header><h1>${text(title!)} <small>HTTP API, ${text(version!)}</small></h1><p>${text(description!)}</p>
<p>The credential goes into <code>X-API-Key</code>, or into <code>Authorization: Bearer</code>. The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<nav aria-label="Contents">${tags.map((tag) => `<strong>${text(tag)}</strong> ${operations.filter((one) => one.tag === tag).map(({ id, summary }) => `<a href="#${id}">${text(summary)}</a>`).join(" ")}`).join("<br>")}</nav></header>
<main>
${tags.map((tag) => `<h2>${text(tag)}</h2>\n${operations.filter((one) => one.tag === tag).map((one) => section(one, paths[one.path]![one.method]!)).join("\n")}`).join("\n")}
<h2>Schemas</h2>
${Object.entries(schemas).map(([name, schema]) => `<details id="schema-${text(name)}"><summary>${text(name)}</summary><pre tabindex="0">${linked(JSON.stringify(schema, null, 2))}</pre></details>`).join("\n")}
</main>
</body>
</html>
`;
}

function section(operation: Operation, { parameters, responses }: { parameters: readonly Schema[]; responses: Readonly<Record<string, { description: string; content?: object }>> }): string {
  const { id, method, path, summary, about, body } = operation;
  const rows = parameters.map(({ name, in: place, description = "", required }) => `<tr><td><code>${text(name as string)}</code></td><td>${text(place as string)}${required === true ? ", required" : ""}</td><td>${text(description as string)}</td></tr>`);
  const results = Object.entries(responses).map(([status, one]) => `<tr><td>${status}</td><td>${types(one.content)}</td><td>${text(one.description)}</td></tr>`);
  return `<section id="${id}"><h3><code>${method.toUpperCase()} ${text(path)}</code> ${text(summary)}</h3>${about === undefined ? "" : `<p>${text(about)}</p>`}
<pre tabindex="0">${text(example(operation))}</pre>
${body === undefined ? "" : `<p>Body: ${Object.entries(body).map(([type, name]) => `<code>${text(type)}</code> ${schemaLink(name)}`).join(", ")}</p>`}
${rows.length === 0 ? "" : table("Parameter", "Where", "What", rows)}
${table("Status", "Content", "When", results)}</section>`;
}

/** Bodies to begin with, where an event is none. */
const BODIES: Readonly<Record<string, string>> = {
  request: '{"type": "calculator.add", "payload": {"x": 10, "y": 20}, "timeout": "5s"}',
  retryDeadLetters: '{"all": true}', discardDeadLetters: '{"dead_letter_ids": ["dead_p1Vq7Yk2mN"]}', purge: '{"older_than": "30d"}',
};

/** What one would type. */
function example({ id, method, path, body, query }: Operation): string {
  const place = path.replace("{seq}", "1042").replace("{stream}", "order-123");
  const asked = path.endsWith("/stream") ? "?topics=user.*" : query !== undefined && method === "get" && "topics" in query.shape ? "?topics=user.*&limit=10" : "";
  const sent = body === undefined ? (method === "post" ? " -X POST" : "") : ` -H 'content-type: application/json' -d '${BODIES[id] ?? '{"type": "user.created", "payload": {"id": 123}}'}'`;
  return `curl${path.endsWith("/stream") ? " -N" : ""} 'http://127.0.0.1:8080${place}${asked}'${sent}`;
}

function table(a: string, b: string, c: string, rows: readonly string[]): string {
  return `<div class="table" tabindex="0" role="region" aria-label="${a}s"><table><thead><tr><th>${a}</th><th>${b}</th><th>${c}</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function types(content: object = {}): string {
  return Object.entries(content as Record<string, { schema: { $ref: string } }>).map(([type, { schema }]) => `<code>${text(type)}</code> ${schemaLink(schema.$ref.split("/").at(-1)!)}`).join("<br>");
}

function schemaLink(name: string): string {
  return name === "Text" || name === "Json" ? "" : `<a href="#schema-${text(name)}">${text(name)}</a>`;
}

function linked(json: string): string {
  return text(json).replace(/#\/components\/schemas\/(\w+)/g, (whole, name: string) => `<a href="#schema-${name}">${whole}</a>`);
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `:root{color-scheme:light dark;--line:light-dark(#d0d7de,#3d444d);--soft:light-dark(#f6f8fa,#151b23);--link:light-dark(#0550ae,#79b8ff)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}a{color:var(--link)}small{font-weight:400;opacity:.8}
nav{line-height:2}nav a{margin-right:.8em}h3{font-size:1.05rem;margin:2rem 0 .5rem}h3 code{margin-right:.5em}
pre{background:var(--soft);border:1px solid var(--line);padding:.6rem .8rem;overflow-x:auto}section pre{white-space:pre-wrap;overflow-wrap:anywhere}code,pre{font:.875rem/1.45 ui-monospace,monospace}
.table{overflow-x:auto;margin:.5rem 0}table{border-collapse:collapse;width:100%}th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
details{margin:.4rem 0}summary{cursor:pointer}`;
