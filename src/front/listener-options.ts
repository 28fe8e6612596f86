import { listenerName } from '../config/listener-name.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { formatAddress } from '../core/address.ts'
import type { ListenerOptions } from '../listener/receiver.ts'
import { HttpsRedirect } from './https-redirect.ts'
import type { ListenerConfig } from './match-listeners.ts'

/**
 * The options of a listener derived from the configuration. `body` is the maximum body size in bytes; `https` is the port that clients use
 * for https.
 */
export function listenerOptions(
  config: GatewayConfig,
  listener: ListenerConfig,
  body: number,
  https: () => number,
): ListenerOptions {
  const { address, proxyProtocol, http2, redirectToHttps: to, tls } = listener
  return {
    ...config.limits,
    name: listenerName(listener),
    body,
    strictNames: config.requestFields === 'strict',
    clientHeader: config.clientHeader?.toLowerCase() ?? null,
    redirect: to === false ? null : new HttpsRedirect(to === true ? https : () => to, config.endpoints),
    proxyProtocol: proxyProtocol === 'required',
    secure: tls !== undefined,
    http2,
    clientCertificates:
      tls?.clientCertificates === undefined
        ? null
        : { listener: formatAddress(address), forms: tls.clientCertificates.forward },
  }
}
