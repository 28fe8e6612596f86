import { createHash } from 'node:crypto'
import type { ProxyVersion } from '../proxy-protocol/written-header.ts'
import type { OutgoingTlsOptions } from '../tls/outgoing.ts'

/** How a service is connected to, with the files that certificates and key are from, where they are from files. */
export interface ServiceTlsOptions extends OutgoingTlsOptions {
  readonly files?: Readonly<Record<'ca' | 'cert' | 'key', string | null>> | undefined
}

/**
 * What connections depend on for as long as they live, as a short text: those that one configuration has made are of use to
 * another one whose text is the same. `tls` is null where they are not encrypted. What a file holds may change, and new
 * connections go by that, while it stays the same file.
 */
export function connectionKey(
  tls: ServiceTlsOptions | null,
  proxyProtocol: ProxyVersion | 'off',
  http2 = false,
): string {
  const settings = tls === null ? null : settingsOf(tls)
  return createHash('sha256')
    .update(JSON.stringify([settings, proxyProtocol, http2]))
    .digest('base64')
}

function settingsOf(tls: ServiceTlsOptions): readonly unknown[] {
  const { files, serverName = null, pin = [], insecure = false } = tls
  const sources = (['ca', 'cert', 'key'] as const).map((name) => files?.[name] ?? tls[name] ?? null)
  return [...sources, serverName, pin, insecure]
}
