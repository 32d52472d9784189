/** Whom the guarded router of these tests lets in, as its environment says. */
export const jwtKey = { kid: "k", alg: "HS256", secret: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" } as const;
export const tokens = { issuer: "https://login.example.com", audience: "router" } as const;
export const fullKey = "root.0123456789abcdefghijklmn";
/** As `event-router token --api-key` prints it; its key is `reader.abcdefghijklmnopqrstuvwx`. */
export const readerKey = "reader.abcdefghijklmnopqrstuvwx";

export const guardedEnvironment = {
  ALLOW_ANONYMOUS: "false",
  API_KEYS: JSON.stringify([fullKey, { id: "reader", hash: "93b0cabf8668e0c534c52a568957499e12a284f59d97dc9b2725ef836804875b", namespaces: ["*"], permissions: ["subscribe:news.*"] }]),
  JWT: JSON.stringify({ ...tokens, keys: [jwtKey] }),
  ORIGINS: "https://app.example.com, https://other.example.com",
} as const;
