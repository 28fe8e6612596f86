import { z } from 'zod'

const expected =
  'expected "*", an origin such as "https://app.example.com" or "http://localhost:3000", ' +
  'or "https://*.example.com" for every name below example.com'

const ORIGIN = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*\.)?([^/?#@*\s\\]+)$/i
/** What the asterisk may stand for: names as browsers send them, in lower case and ASCII. */
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** Schema of an origin, "*", or all origins below a name; normalized by parsing to the spelling that browsers send. */
export const originPattern = z
  .string(expected)
  .transform((text, context) => normalize(text) ?? fail(context, `${JSON.stringify(text)}: ${expected}`))

/** Compiles patterns other than "*" into a predicate on the Origin header of a request. */
export function compileOrigins(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const below = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => {
      const [prefix = '', suffix = ''] = pattern.split('*')
      return { prefix, suffix }
    })
  return (origin) =>
    exact.has(origin) ||
    below.some(
      ({ prefix, suffix }) =>
        origin.startsWith(prefix) &&
        origin.endsWith(suffix) &&
        LABELS.test(origin.slice(prefix.length, -suffix.length)),
    )
}

function normalize(text: string): string | null {
  if (text === '*') return text
  const [, written, wildcard = '', authority = ''] = ORIGIN.exec(text) ?? []
  // An attacker on the network can impersonate an http origin, so http has to be requested explicitly.
  const scheme = written?.toLowerCase() ?? (wildcard === '' ? '' : 'https')
  if (scheme === '' || (wildcard !== '' && authority.startsWith('['))) return null
  if (scheme !== 'http' && scheme !== 'https')
    return /^[a-z0-9.-]+(?::\d+)?$/.test(authority) ? `${scheme}://${wildcard}${authority}` : null
  const url = URL.parse(`${scheme}://${authority}`)
  return url === null || url.host === '' ? null : `${scheme}://${wildcard}${url.host}`
}

function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
