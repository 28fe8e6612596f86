import { createHash } from 'node:crypto'
import type { ProxyVersion } from '../proxy-protocol/written-header.ts'
import type { OutgoingTlsOptions } from '../tls/outgoing.ts'

/** TLS options of a service, including the files that certificates and key were read from, if any. */
export interface ServiceTlsOptions extends OutgoingTlsOptions {
  readonly files?: Readonly<Record<'ca' | 'cert' | 'key', string | null>> | undefined
}

/**
 * A short text that identifies everything a connection depends on for its lifetime: connections made under one configuration can be reused
 * by another with the same key. `tls` is null for unencrypted connections. When the content of a file changes, new connections use it, but
 * the key stays the same as long as the file name does.
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
