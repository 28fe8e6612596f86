import { z } from 'zod'
import type { Exchange } from '../../http/exchange.ts'
import { NameSet } from '../../http/name-set.ts'
import { sentPath } from '../../http/path-forms.ts'
import type { Share } from './storable.ts'

/** Options that say which parts of the query identify a resource. */
export const queryOptions = z
  .strictObject({
    sort: z.boolean().default(false).describe('Ignore the order of parameters. Default false.'),
    only: z
      .string()
      .array()
      .optional()
      .describe('Only these parameters count; all others are ignored. Default all.')
      .meta({ examples: [['page', 'sort']] }),
    except: z
      .string()
      .array()
      .default([])
      .describe('Parameters to ignore.')
      .meta({ examples: [['utm_source', 'utm_campaign']] }),
  })
  .prefault({})
  .describe('Parts of the query that belong to the cache key. Default all of it, as written.')

/** Creates the keys of one route. */
export interface Keys {
  /** Host, path and query as the service receives them: used for invalidation. */
  url(target: Pick<Exchange, 'host' | 'path' | 'forms' | 'query'>): string
  /** The key under which replies to the exchange are stored. */
  key(exchange: Exchange, url: string): string
}

/** Keys for a route with that id, whose replies are stored by the rules with that name. */
export function compileKeys(route: string, rules: string, share: Share, options: z.output<typeof queryOptions>): Keys {
  const normalize = compileQuery(options)
  const beginning = `${route} ${rules} `
  return {
    url: (target) =>
      target.host.toLowerCase() + sentPath(target) + (target.query === '' ? '' : normalize(target.query)),
    key: (exchange, url) => `${beginning}${originOf(exchange)} ${url} ${callersOf(exchange, share)}`,
  }
}

/**
 * The origin that the client addressed, and any further details from a trusted proxy: a service may build links and redirects from
 * them, so replies must not be shared between different origins.
 */
function originOf({ client }: Exchange): string {
  const origin = client.host === null ? client.scheme : `${client.scheme}://${client.host}`
  return client.claims === '' ? origin : `${origin} ${JSON.stringify(ADDRESSES.without(client.claims))}`
}

/** The client's address is never part of the key: a service whose replies depend on it has to say so in Vary. */
const ADDRESSES = new NameSet([
  'X-Real-IP',
  'X-Client-IP',
  'Client-IP',
  'CF-Connecting-IP',
  'True-Client-IP',
  'Fastly-Client-IP',
  'X-Cluster-Client-IP',
  'X-Envoy-External-Address',
  'X-Original-For',
  'X-Original-Forwarded-For',
])

/** Identifies the callers that share a copy. It follows the URL, which contains no spaces, so that no id can imitate another key. */
function callersOf({ consumer }: Exchange, share: Share): string {
  if (consumer === null || share === 'public' || share === 'everyone') return ''
  const { id, key, tier, roles, scopes } = consumer
  if (share === 'role') return JSON.stringify(roles.toSorted())
  // A caller with fewer permissions than before must not get a reply that was created for more.
  return JSON.stringify([id, key, tier, roles.toSorted(), scopes.toSorted()])
}

function compileQuery({ sort, only, except }: z.output<typeof queryOptions>): (query: string) => string {
  if (!sort && only === undefined && except.length === 0) return (query) => query
  const left = new Set(except)
  const counts = (parameter: string): boolean => {
    const [name = ''] = new URLSearchParams(parameter).keys()
    return !left.has(name) && (only === undefined || only.includes(name))
  }
  return (query) => {
    const parameters = query.slice(1).split('&').filter(counts)
    if (sort) parameters.sort()
    return parameters.length === 0 ? '' : `?${parameters.join('&')}`
  }
}
