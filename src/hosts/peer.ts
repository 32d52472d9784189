import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { Caller, PeerCertificate } from "../core/policy.ts";

/** What a request tells of who makes it, before it says anything. */
export function callerOf({ socket, headers: { origin } }: IncomingMessage): Caller {
  const { remoteAddress } = socket;
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  return { ...(remoteAddress !== undefined && { address: remoteAddress }), ...(origin !== undefined && { origin }), ...(certificate && { certificate }) };
}

/** The peer's certificate, if an authority that the server trusts has signed it. */
function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  if (!socket.authorized) return undefined;
  const { fingerprint256, subjectaltname, valid_to: validTo } = socket.getPeerCertificate();
  if (typeof fingerprint256 !== "string") return undefined;
  return { fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(), names: namesOf(subjectaltname), expiresAt: Date.parse(validTo) };
}

/** Node joins the names by commas, and puts one that holds a comma or worse in quotes (CVE-2021-44532): such a one is nobody's name. */
export function namesOf(text: string | undefined): readonly string[] {
  const names = (text?.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((name) => name.trim());
  return names.filter((name) => /^(DNS|URI|IP Address|email):[^\s,"]+$/.test(name));
}
