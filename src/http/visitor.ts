import type { Context } from "hono";
import { AuthenticationError } from "../core/errors.ts";
import { PROTOCOL_VERSION, type Credential } from "../core/frames.ts";
import type { Caller } from "../core/policy.ts";

/** Who knocks: what a request says of its caller. */
export interface Visitor {
  readonly namespace: string;
  readonly credential?: Credential;
  readonly caller: Caller;
}

/**
 * The visitor of a request. A bearer token without the two dots of a JWT is an API key: some tools can send no other header.
 * @throws AuthenticationError for an `Authorization` of another scheme.
 */
export function visitorOf({ req }: Context, caller: Caller): Visitor {
  const origin = req.header("Origin");
  const credential = credentialOf(req.header("Authorization"), req.header("X-API-Key"));
  return {
    namespace: req.query("namespace") ?? "default",
    ...(credential && { credential }),
    caller: { ...caller, ...(origin !== undefined && { origin }) },
  };
}

function credentialOf(authorization: string | undefined, apiKey: string | undefined): Credential | undefined {
  if (authorization === undefined) return apiKey === undefined ? undefined : { type: "api_key", key: apiKey };
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", "Authorization must be Bearer and a token; an API key may also be sent as X-API-Key");
  return token.split(".").length === 3 ? { type: "jwt", token } : { type: "api_key", key: token };
}

/** The first message of a visitor's session. */
export function helloOf({ namespace, credential }: Visitor): string {
  return JSON.stringify(["hello", { v: PROTOCOL_VERSION, namespace, ...(credential && { auth: credential }) }]);
}
