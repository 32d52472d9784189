import { defineConfig, type Plugin } from "vite";

/**
 * What the built page may load and talk to: itself, and any router that its user names. Not in development, where Vite injects styles.
 * `blocking="render"` lets a remembered theme be there before the first paint, without an inline script.
 */
const strictPage: Plugin = {
  name: "strict-page",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (html) => html
      .replace("<head>", `<head>\n    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'">`)
      .replace('<script type="module"', '<script type="module" blocking="render"'),
  },
};

/** `vite build --mode static`: no server answers at the page's address, so it begins with the router in itself. */
const standAlone = (mode: string): Plugin => ({
  name: "stand-alone",
  transformIndexHtml: (html) => (mode === "static" ? html.replace("<head>", `<head>\n    <meta name="router" content="in-page">`) : html),
});

export default defineConfig(({ mode }) => ({
  root: "demo",
  base: "./",
  plugins: [strictPage, standAlone(mode)],
  build: {
    outDir: "../dist/playground",
    emptyOutDir: true,
    target: ["chrome123", "edge123", "firefox128", "safari17.5"],
    modulePreload: { polyfill: false },
  },
  // `npm run start` beside `npx vite`: the page in development talks to the router on its usual port.
  server: { proxy: { "/ws": { target: "ws://127.0.0.1:8080", ws: true }, "/api": "http://127.0.0.1:8080" } },
}));
