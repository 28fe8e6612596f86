import type { Request } from '../../answers.ts'

/** The question, as typed. */
export interface Question {
  readonly method: string
  readonly url: string
  readonly from: string
  readonly headers: string
  readonly body: string
  readonly as: string
  readonly tier: string
}

/** The parameters in the address: browsers remember it, so headers and body, which may contain credentials, are left out. */
export const NAMES = ['method', 'url', 'from', 'as', 'tier'] as const

/** The parameters that are not in the address. */
export const NOTHING = { headers: '', body: '' }

/** A link that explains a finished request. */
export function explainLink({ method, host, path, query, client, consumer, tier }: Request): string {
  const question = new URLSearchParams({
    method,
    url: host === '' ? path + query : `http://${host}${path}${query}`,
    from: client,
  })
  if (consumer !== null) question.set('as', consumer)
  if (tier !== null) question.set('tier', tier)
  return `/console/explain?${question}`
}

/** The question in the address of the page. */
export function questionIn(query: URLSearchParams): Question {
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

/** The question in the form of POST /explain. */
export function bodyOf({ method, url, from, headers, body, as, tier }: Question): object {
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
