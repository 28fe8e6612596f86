import type { Endpoint } from './endpoint.ts'
import { Problem } from './problem.ts'

interface Match {
  readonly endpoint: Endpoint
  readonly parameters: Readonly<Record<string, string>>
}

/** Finds the endpoint of a request; throws a Problem with 400 (bad escape), 404 (path) or 405 (method). */
export type Router = (method: string, path: string) => Match

/** A router for the endpoints; a literal path wins over one with parameters. */
export function createRouter(endpoints: readonly Endpoint[]): Router {
  const routes = endpoints
    .map((endpoint) => ({ endpoint, segments: endpoint.docs.path.split('/') }))
    .toSorted((a, b) => countParameters(a.segments) - countParameters(b.segments))
  return (method, path) => {
    const segments = path.split('/').map(decode)
    const best = routes.find((route) => matches(route.segments, segments))
    if (!best) throw new Problem(404, `There is nothing at ${path}.`)
    const here = endpoints.filter(({ docs }) => docs.path === best.endpoint.docs.path)
    const endpoint = here.find(({ docs }) => docs.method === (method === 'HEAD' ? 'GET' : method))
    if (endpoint) return { endpoint, parameters: parameters(best.segments, segments) }
    const allow = here.flatMap(({ docs }) => (docs.method === 'GET' ? ['GET', 'HEAD'] : docs.method))
    throw new Problem(405, `${method} is not possible here.`, { headers: { Allow: allow.join(', ') } })
  }
}

function countParameters(pattern: readonly string[]): number {
  return pattern.filter(isParameter).length
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{')
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (isParameter(part) ? segments[index] !== '' : part === segments[index]))
  )
}

function parameters(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    segments.flatMap((segment, index): [string, string][] => {
      const part = pattern[index] ?? ''
      return isParameter(part) ? [[part.slice(1, -1), segment]] : []
    }),
  )
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Problem(400, 'The path has an escape that is not valid.')
  }
}
