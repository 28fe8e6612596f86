import type { Toolbox } from '../../core/toolbox.ts'
import type { Discoverer, DiscoveryKind, DiscoveryKindName, DiscoveryListener } from './discoverer.ts'
import { dns } from './dns/index.ts'
import type { DiscoverOptions } from './index.ts'
import { kubernetes } from './kubernetes/index.ts'

/** A configured way to discover instances. */
interface Way {
  readonly kind: DiscoveryKindName
  readonly subject: string
  readonly discover: (finder: DiscoveryListener) => Discoverer
}

/** The kind of discovery that a service configures. Throws TypeError if there is none, which the schema prevents. */
export function discoverFor(options: DiscoverOptions, tools: Toolbox): Way {
  if (options.dns !== undefined) return wayOf('dns', dns, options.dns, tools)
  if (options.kubernetes !== undefined) return wayOf('kubernetes', kubernetes, options.kubernetes, tools)
  throw new TypeError('discover says no way')
}

function wayOf<Options>(
  kind: DiscoveryKindName,
  { subject, create }: DiscoveryKind<Options>,
  options: Options,
  tools: Toolbox,
): Way {
  return { kind, subject: subject(options), discover: (finder) => create(options, finder, tools) }
}
