import { readFileSync } from "node:fs";
import { ValidationError } from "../core/errors.ts";

/** TLS by the server itself. Each is PEM text (`-----BEGIN …`) or the path of a file with it. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  /** The authority that signs client certificates; with it they are asked for. */
  readonly ca?: string | undefined;
}

/** As `https.createServer` takes them. @throws ValidationError `ERR_TLS` for a file that cannot be read. */
export function readTls({ cert, key, ca }: TlsOptions) {
  return {
    cert: readPem(cert, "tls.cert"), key: readPem(key, "tls.key"), minVersion: "TLSv1.2" as const,
    // Who shows none, or one of another authority, may still say who it is otherwise: what counts is what `callerOf` says of it.
    ...(ca !== undefined && { ca: readPem(ca, "tls.ca"), requestCert: true, rejectUnauthorized: false }),
  };
}

function readPem(text: string, path: string): string {
  if (text.includes("-----BEGIN ")) return text;
  try {
    return readFileSync(text, "utf8");
  } catch (cause) {
    throw new ValidationError("ERR_TLS", `${path}: ${text.slice(0, 200)} cannot be read; give PEM text or the path of a file with it`, { details: { path }, cause });
  }
}
