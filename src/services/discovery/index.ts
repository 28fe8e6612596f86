import { z } from 'zod'
import type { Toolbox } from '../../core/toolbox.ts'
import {
  type Discoverer,
  type DiscoveryKind,
  type DiscoveryKindName,
  discoveryKinds,
  type Finder,
} from './discoverer.ts'
import { dns } from './dns/index.ts'
import { dnsOptions } from './dns/options.ts'
import { kubernetes } from './kubernetes/index.ts'
import { kubernetesOptions } from './kubernetes/options.ts'

/** Schema of what `discover` of a service may say. */
export const discoverSchema = z
  .strictObject({
    dns: dnsOptions.optional().describe('By the addresses of a name: A, AAAA or SRV records.'),
    kubernetes: kubernetesOptions
      .optional()
      .describe('By the pods of a Kubernetes Service, which are followed as its EndpointSlices change.'),
    scheme: z
      .enum(['http', 'https'])
      .default('http')
      .describe(
        'How the instances are connected to: http, or https, where the certificate must have the name that is asked for. Default http.',
      ),
  })
  .superRefine((options, context) => {
    if (discoveryKinds.filter((kind) => options[kind] !== undefined).length === 1) return
    context.addIssue({
      code: 'custom',
      message: `says not how, or in two ways: expected one of ${discoveryKinds.join(' and ')}`,
    })
  })

export type DiscoverOptions = z.output<typeof discoverSchema>

/** How what is found by these options is found. */
interface Way {
  readonly kind: DiscoveryKindName
  readonly subject: string
  readonly discover: (finder: Finder) => Discoverer
}

/** The way that a service asks for. Throws TypeError where it asks for none, which the schema refuses. */
export function discoverFor(options: DiscoverOptions, tools: Toolbox): Way {
  if (options.dns !== undefined) return wayOf('dns', dns, options.dns, tools)
  if (options.kubernetes !== undefined) return wayOf('kubernetes', kubernetes, options.kubernetes, tools)
  throw new TypeError('discover says no way')
}

/** The name that certificates of the instances must have; undefined where it depends on where the gateway runs. */
export function serverNameOf({ dns: named, kubernetes: object }: DiscoverOptions): string | undefined {
  if (named !== undefined) return hostOf(named.name)
  return object?.namespace === undefined ? undefined : `${object.service}.${object.namespace}.svc`
}

function wayOf<Options>(
  kind: DiscoveryKindName,
  { subject, create }: DiscoveryKind<Options>,
  options: Options,
  tools: Toolbox,
): Way {
  return { kind, subject: subject(options), discover: (finder) => create(options, finder, tools) }
}

/** Without the names of a service and its protocol, as SRV records have them, and without a final dot. */
function hostOf(name: string): string {
  return name
    .split('.')
    .filter((label) => label !== '' && !label.startsWith('_'))
    .join('.')
}
