import type { Request } from '../../answers.ts'

/** What is asked about, as it is typed. */
export interface Asked {
  readonly method: string
  readonly url: string
  readonly from: string
  readonly headers: string
  readonly body: string
  readonly as: string
  readonly tier: string
}

/** What the address has of it: browsers remember that, so header fields and body, where credentials are, stay out of it. */
export const NAMES = ['method', 'url', 'from', 'as', 'tier'] as const

/** What the address does not have. */
export const NOTHING = { headers: '', body: '' }

/** Where a request that ended is explained. */
export function explainLink({ method, host, path, query, client, consumer, tier }: Request): string {
  const asked = new URLSearchParams({
    method,
    url: host === '' ? path + query : `http://${host}${path}${query}`,
    from: client,
  })
  if (consumer !== null) asked.set('as', consumer)
  if (tier !== null) asked.set('tier', tier)
  return `/console/explain?${asked}`
}

/** What the address of the page asks about. */
export function askedOf(query: URLSearchParams): Asked {
  const of = (name: string, otherwise = ''): string => query.get(name) ?? otherwise
  return {
    method: of('method', 'GET'),
    url: of('url'),
    from: of('from'),
    ...NOTHING,
    as: of('as'),
    tier: of('tier'),
  }
}

/** The same as POST /explain takes it. */
export function questionOf({ method, url, from, headers, body, as, tier }: Asked): object {
  const fields = new Map<string, string[]>()
  for (const line of headers.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).trim()
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return {
    method,
    url,
    headers: Object.fromEntries(fields),
    ...(body !== '' && { body }),
    ...(from !== '' && { from }),
    ...(as !== '' && { as: { id: as, ...(tier !== '' && { tier }) } }),
  }
}
