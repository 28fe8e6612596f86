import { z } from 'zod'
import { discoveryKinds } from './discoverer.ts'
import { dnsOptions } from './dns/options.ts'
import { kubernetesOptions } from './kubernetes/options.ts'

/** Schema of a service's `discover` option. */
export const discoverSchema = z
  .strictObject({
    dns: dnsOptions.optional().describe('Discover instances by DNS: A, AAAA or SRV records.'),
    kubernetes: kubernetesOptions
      .optional()
      .describe('Discover the pods of a Kubernetes Service by watching its EndpointSlices.'),
    scheme: z
      .enum(['http', 'https'])
      .default('http')
      .describe('Scheme of the instances: http, or https, where the certificate must match the name. Default http.'),
  })
  .superRefine((options, context) => {
    if (discoveryKinds.filter((kind) => options[kind] !== undefined).length === 1) return
    context.addIssue({
      code: 'custom',
      message: `expected exactly one of ${discoveryKinds.join(' and ')}`,
    })
  })

export type DiscoverOptions = z.output<typeof discoverSchema>

/** The name that the certificates of the instances must have; undefined if it depends on where the gateway runs. */
export function serverNameOf({ dns: named, kubernetes: object }: DiscoverOptions): string | undefined {
  if (named !== undefined) return hostOf(named.name)
  return object?.namespace === undefined ? undefined : `${object.service}.${object.namespace}.svc`
}

/** Strips the service and protocol labels of SRV names, and a trailing dot. */
function hostOf(name: string): string {
  return name
    .split('.')
    .filter((label) => label !== '' && !label.startsWith('_'))
    .join('.')
}
