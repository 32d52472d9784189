import type { Link } from "./core/link.ts";
import { certificateSocket, type CertificateFiles } from "./links/certificate-socket.ts";
import { webSocketLink, type WebSocketLinkOptions } from "./links/websocket.ts";

/** The link of a client that shows a certificate. @throws ConnectionError `ERR_MTLS` where that cannot be. */
export async function certificateLink(files: CertificateFiles, options: Omit<WebSocketLinkOptions, "url"> & { readonly url: string | undefined }): Promise<Link> {
  return webSocketLink({ ...options, url: options.url!, WebSocket: await certificateSocket(files, options.url) });
}
