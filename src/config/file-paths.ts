import { ANY } from './option-paths.ts'
import type { Path } from './problems.ts'

/** Where the configuration names files that listeners present (certificates) or consult. */
export const LISTENER_FILES: readonly Path[] = [
  ['listeners', ANY, 'tls', 'certificates', ANY, 'cert'],
  ['listeners', ANY, 'tls', 'certificates', ANY, 'key'],
  ['listeners', ANY, 'tls', 'clientCertificates', 'ca'],
  ['listeners', ANY, 'tls', 'clientCertificates', 'crl'],
]

/** Where it names files with networks, apart from the options of policies. */
export const NETWORK_FILES: Path = ['trustedProxies', ANY, 'file']
