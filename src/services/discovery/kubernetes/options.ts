import { z } from 'zod'

/** RFC 1123 section 2.1, as Kubernetes names namespaces; names of Services are of the same form. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const nameExpected = 'expected the name of a Kubernetes object such as "users"'
const portExpected = 'expected the name of a port such as "http", or the number of one of the pods'
const serverExpected = 'expected the URL of an API server such as "https://10.0.0.1:6443"'

/** Schema of how instances are found by the EndpointSlices of a Service. */
export const kubernetesOptions = z.strictObject({
  service: z.string(nameExpected).regex(NAME, nameExpected).describe('Name of the Service.'),
  namespace: z
    .string(nameExpected)
    .regex(NAME, nameExpected)
    .optional()
    .describe('Its namespace. Default that of the pod of the gateway.'),
  port: z
    .union([z.int(portExpected).min(1, portExpected).max(65_535, portExpected), z.string(portExpected).min(1)])
    .optional()
    .describe(
      'Name of a port of the Service, or number of the port that the pods listen on (targetPort). Default the only one that there is.',
    ),
  server: z
    .string(serverExpected)
    .refine(isServer, serverExpected)
    .optional()
    .describe(
      'The API server, where the gateway runs outside of the cluster. Default that of the cluster, by KUBERNETES_SERVICE_HOST.',
    ),
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the token that is shown to it, which is read anew each time. Default that of the pod; with server none.',
    ),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the authorities that its certificate may be of. Default that of the pod; with server those that Node.js knows.',
    ),
})

export type KubernetesOptions = z.output<typeof kubernetesOptions>

function isServer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
}
