import type { DiscoveryKind } from '../discoverer.ts'
import { DnsDiscoverer } from './discoverer.ts'
import type { DnsOptions } from './options.ts'

/** Discovery by the addresses of a DNS name. */
export const dns: DiscoveryKind<DnsOptions> = {
  subject: ({ name, type, port }) => (type === 'SRV' ? `${name} (SRV)` : `${name}, port ${port ?? ''}`),
  create: (options, finder, tools) => new DnsDiscoverer(options, finder, tools),
}
