import { AuthenticationError, ValidationError } from "../core/errors.ts";
import type { Principal, SavedPrincipal } from "../core/policy.ts";
import { Grant, type GrantInit } from "./grant.ts";
import { Revocations, type RevocablePolicy } from "./revocable.ts";
import { RightsPool } from "./rights.ts";

/** Whoever proves to hold this certificate. The host has verified it against the authorities it trusts; by which of both marks it is known is said here. */
export interface CertificateGrant extends GrantInit {
  /** SHA-256 of the certificate in hex, with or without colons. */
  readonly fingerprint?: string | undefined;
  /** One of its subject alternative names, whole, as `DNS:device-7.example.com` or `URI:spiffe://example.com/worker`. */
  readonly san?: string | undefined;
  /** Default: the name, or `cert:` and the beginning of the fingerprint. */
  readonly subject?: string | undefined;
  readonly name?: string | undefined;
}

export interface CertificatePolicy extends RevocablePolicy {
  /** Takes these in place of those so far, at this router; who is not among them any more is thrown out at once. */
  replace(grants: readonly CertificateGrant[]): void;
  /** Forgets a fingerprint or name for good, as it stands in its grant, at every router that shares the store, and throws out who is known by it. */
  revoke(mark: string): void;
}

interface Entry { readonly mark: string; readonly subject: string; readonly name: string | undefined; readonly grant: Grant }

/**
 * Lets in who shows a certificate (mTLS).
 * @throws ValidationError `ERR_CERTIFICATE`
 */
export function certificatePolicy(grants: readonly CertificateGrant[], now: () => number = Date.now): CertificatePolicy {
  const pool = new RightsPool();
  const revocations = new Revocations();
  /** Marks that were revoked, in whatever list they come again. */
  const gone = new Set<string>();
  let entries = grants.map((grant, i) => read(grant, i, pool));

  const forget = (mark: string): void => {
    gone.add(mark);
    const known = entries.filter((entry) => entry.mark === mark);
    entries = entries.filter((entry) => entry.mark !== mark);
    for (const { subject } of known) revocations.tell(subject);
  };
  const principalOf = ({ mark, subject, name, grant }: Entry, expiresAt: number, namespace: string): Principal => {
    if (expiresAt <= now()) throw new AuthenticationError("ERR_EXPIRED", "this certificate has run out; use a newer one");
    return { subject, expiresAt, ...grant.in(namespace), origin: mark, ...(name !== undefined && { name }) };
  };
  const again = ({ origin, subject, name, expiresAt }: SavedPrincipal, namespace: string): Principal => {
    const entry = entries.find(({ mark }) => mark === origin);
    if (entry === undefined || entry.subject !== subject || entry.name !== name) throw new AuthenticationError("ERR_REVOKED", "this certificate was withdrawn; connect with another");
    return principalOf(entry, expiresAt!, namespace);
  };

  return {
    watch: revocations.watch,
    withdrawn: revocations.withdrawn,
    withdraw: (what) => forget(what as string),
    authenticate(_credential, namespace, { certificate }) {
      if (certificate === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", "this router takes client certificates, and none that it trusts was shown: connect over wss or https with one of its authority");
      const marks = [certificate.fingerprint, ...certificate.names];
      const entry = entries.find(({ mark }) => marks.includes(mark));
      if (entry === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", `this certificate (SHA-256 ${certificate.fingerprint.slice(0, 16)}…) is not one of the router's; let its fingerprint or name be added`);
      return principalOf(entry, certificate.expiresAt, namespace);
    },
    review: again,
    restore: again,
    replace(next) {
      entries = next.map((grant, i) => read(grant, i, pool)).filter(({ mark }) => !gone.has(mark));
      revocations.tell();
    },
    revoke(mark) {
      const known = markOf(mark);
      forget(known);
      revocations.pass({ what: known, lasts: true });
    },
  };
}

function read({ fingerprint, san, subject, name, ...grant }: CertificateGrant, i: number, pool: RightsPool): Entry {
  const digest = fingerprint === undefined ? undefined : markOf(fingerprint);
  if ((digest === undefined) === (san === undefined)) throw invalid(i, "needs either fingerprint or san");
  if (digest !== undefined && !/^[\da-f]{64}$/.test(digest)) throw invalid(i, "fingerprint must be SHA-256 in hex: openssl x509 -noout -fingerprint -sha256");
  if (san !== undefined && !/^(DNS|URI|IP Address|email):[^\s,"]+$/.test(san)) throw invalid(i, "san must be a whole name with its kind, as DNS:device-7.example.com");
  return { mark: digest ?? san!, subject: subject ?? san ?? `cert:${digest!.slice(0, 16)}`, name, grant: new Grant(grant, pool) };
}

/** A fingerprint may be written with colons and in capitals; a name has a kind before its colon, and stays. */
function markOf(text: string): string {
  const digest = text.replaceAll(":", "").toLowerCase();
  return /^[\da-f]{64}$/.test(digest) ? digest : text;
}

function invalid(i: number, message: string): ValidationError {
  return new ValidationError("ERR_CERTIFICATE", `certificates[${i}] ${message}`, { details: { path: `certificates.${i}` } });
}
