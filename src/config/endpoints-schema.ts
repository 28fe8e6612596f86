import { z } from 'zod'
import { parsePattern, PatternError } from '../routing/pattern.ts'

const pathExpected = 'expected a path such as "/healthz", without parameters and wildcards, or false'

/** Path of one endpoint, or false to turn it off. */
function endpoint(path: string, what: string) {
  const schema = z.string(pathExpected).superRefine((text, context) => {
    if (!isPlainPath(text)) context.addIssue({ code: 'custom', message: pathExpected })
  })
  return z
    .union([z.literal(false), schema], pathExpected)
    .default(path)
    .describe(`${what}; false turns it off. Default ${path}.`)
}

const mapExpected = 'expected a map such as { health: /healthz, metrics: false }'

/** Schema of the endpoints that the gateway answers itself on its listeners. */
export const endpointsSchema = z
  .strictObject(
    {
      health: endpoint('/health', 'Path of the health endpoint, with /live and /ready below it'),
      metrics: endpoint('/metrics', 'Path of the metrics'),
      docs: endpoint('/docs', 'Path of the API documentation page and its files'),
      openapi: endpoint('/openapi.json', "Path of the API's OpenAPI document"),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? mapExpected : undefined) },
  )
  .superRefine((endpoints, context) => {
    if (endpoints.docs !== false && endpoints.openapi === false)
      context.addIssue({
        code: 'custom',
        path: ['docs'],
        message: 'the page shows the openapi document, which is turned off; expected false',
        input: endpoints.docs,
      })
    const paths = ownPaths(endpoints)
    for (const own of paths) {
      const { endpoint: name, path } = own
      const first = paths.find((other) => other.path === path)
      if (first === undefined || first === own) continue
      const message = `${path} is also the path of ${first.endpoint}; expected another path`
      context.addIssue({ code: 'custom', path: [name], message, input: path })
    }
  })

/** Paths of the gateway's own endpoints; false if one is turned off. */
export type Endpoints = z.output<typeof endpointsSchema>

/** The name of an endpoint. */
export type Endpoint = keyof Endpoints

/** Every path, as a pattern, that the gateway answers itself. */
export function ownPaths(endpoints: Endpoints): { readonly endpoint: Endpoint; readonly path: string }[] {
  const { health, metrics, docs, openapi } = endpoints
  const at = (endpointName: Endpoint, path: string | false, below: readonly string[]) =>
    path === false ? [] : ['', ...below].map((rest) => ({ endpoint: endpointName, path: path + rest }))
  return [
    ...at('health', health, ['/live', '/ready']),
    ...at('metrics', metrics, []),
    ...at('docs', docs, ['/', '/{file}']),
    ...at('openapi', openapi, []),
  ]
}

function isPlainPath(text: string): boolean {
  try {
    const { segments, isPrefix, text: normal } = parsePattern(text)
    return !isPrefix && normal === text && segments.every((segment) => 'literal' in segment && segment.literal !== '')
  } catch (error) {
    if (error instanceof PatternError) return false
    throw error
  }
}
