import { z } from 'zod'

/** RFC 1123 section 2.1, the format of Kubernetes namespace names; also used for names of Services. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const nameExpected = 'expected the name of a Kubernetes object such as "users"'
const portExpected = 'expected the name of a port such as "http", or the number of one of the pods'
const serverExpected = 'expected the URL of an API server such as "https://10.0.0.1:6443"'

/** Schema of the options for discovery by the EndpointSlices of a Service. */
export const kubernetesOptions = z.strictObject({
  service: z
    .string(nameExpected)
    .regex(NAME, nameExpected)
    .describe('Name of the Service.')
    .meta({ examples: ['user-service'] }),
  namespace: z
    .string(nameExpected)
    .regex(NAME, nameExpected)
    .optional()
    .describe("Namespace of the Service. Default that of the gateway's pod.")
    .meta({ examples: ['shop'] }),
  port: z
    .union([z.int(portExpected).min(1, portExpected).max(65_535, portExpected), z.string(portExpected).min(1)])
    .optional()
    .describe(
      'Port name of the Service, or number of the port that the pods listen on (targetPort). Default the only one.',
    )
    .meta({ examples: ['http', 8001] }),
  server: z
    .string(serverExpected)
    .refine(isServer, serverExpected)
    .optional()
    .describe(
      "API server, if the gateway runs outside the cluster. Default the cluster's own, from KUBERNETES_SERVICE_HOST.",
    )
    .meta({ examples: ['https://kubernetes.example.com:6443'] }),
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe("File with the token for the API server, read again for each use. Default the pod's; none with server.")
    .meta({ examples: ['./kubernetes/token'] }),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe("File with the CA certificates for the API server. Default the pod's; those of Node.js with server.")
    .meta({ examples: ['./kubernetes/ca.pem'] }),
})

export type KubernetesOptions = z.output<typeof kubernetesOptions>

function isServer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
}
