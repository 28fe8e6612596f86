import { z } from 'zod'
import { isFieldValue, isToken } from '../../core/field.ts'
import { escapeFor, flawOfPlace, isOutsideOfStrings, textKindOf } from '../../http/text-kind.ts'
import type { Purge } from '../cache/purge.ts'
import { tagOf } from './reply-fields.ts'
import type { PurgeCall } from './topics.ts'

/** What is purged: one URL, all URLs with a prefix, or tags; members are named like the placeholders. */
export type Purged =
  | { readonly kind: 'url'; readonly url: string; readonly host: string; readonly path: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }

/** Kinds of purges, and their placeholders. */
const KINDS = { url: ['url', 'host', 'path'], prefix: ['prefix'], tags: ['tags'] } as const

type Kind = keyof typeof KINDS

const NAMES: ReadonlySet<string> = new Set(Object.values(KINDS).flat())
const PLACEHOLDER = /\{(url|host|path|prefix|tags)\}/g
/** Most tags per request: some APIs accept no more than 30. */
const MAX_TAGS = 30

const urlExpected = 'expected a URL such as "https://api.example.com/purge", whose host has no placeholders'
const methodExpected = 'expected a method such as POST'
const headersExpected = 'expected names and values that a header can carry'
const what = [...NAMES].map((name) => `{${name}}`).join(', ')

/** Schema of a request that makes a CDN purge. */
export const purgeHook = z
  .strictObject({
    url: z
      .string(urlExpected)
      .refine((url) => /^https?:\/\/[^/?#{}]+(?:[/?]|$)/.test(url) && URL.canParse(url), urlExpected)
      .describe(
        `Target URL. Here and in headers and body, ${what} stand for what is purged: {url} is one URL, {host} and {path} its parts, ` +
          '{prefix} the host and path that URLs start with, {tags} cache groups. The request is sent only for the kinds of purges that its placeholders name.',
      )
      .meta({ examples: ['https://cdn.example.com/purge'] }),
    method: z.string(methodExpected).refine(isToken, methodExpected).default('POST').describe('Method. Default POST.'),
    headers: z
      .record(z.string().refine(isToken, headersExpected), z.string().refine(isFieldValue, headersExpected))
      .default({})
      .describe('Headers, such as your credentials at the CDN. {tags} are separated by spaces.')
      .meta({ examples: [{ Authorization: 'Bearer ${CDN_TOKEN}' }] }),
    body: z
      .string()
      .default('')
      .describe(
        'Body, JSON unless Content-Type says plain text or XML. In JSON, {tags} outside of quotes is a list; other placeholders go inside quotes. Default none.',
      )
      .meta({ examples: ['{"tags": {tags}}'] }),
  })
  .superRefine((hook, context) => {
    if (kindsOf(hook).length === 0)
      context.addIssue({ code: 'custom', message: `has no placeholder for what is purged; expected one of ${what}` })
    const kind = textKindOf(contentTypeOf(hook))
    if (kind === null)
      return context.addIssue({
        code: 'custom',
        path: ['headers'],
        message: 'Content-Type is not JSON, plain text or XML',
      })
    for (const match of hook.body.matchAll(PLACEHOLDER)) {
      const before = hook.body.slice(0, match.index)
      if (match[1] === 'tags' && kind === 'json' && isOutsideOfStrings(before)) continue
      const flaw = flawOfPlace(kind, before)
      if (flaw !== null) context.addIssue({ code: 'custom', path: ['body'], message: `has ${match[0]} ${flaw}` })
    }
  })

export type PurgeHook = z.output<typeof purgeHook>

/** Creates the request for a purge; null if the hook does not apply to it. */
export function compileHook(hook: PurgeHook): (purged: Purged) => PurgeCall | null {
  const kinds = new Set(kindsOf(hook))
  const kind = textKindOf(contentTypeOf(hook)) ?? 'plain'
  const { url, method, body } = hook
  const headers = body === '' || typeAmong(hook) !== undefined ? hook.headers : { ...hook.headers, ...JSON_TYPE }
  return (purged) => {
    if (!kinds.has(purged.kind)) return null
    const encoded = fill(url, purged, (name, value) => (name === 'path' ? value : encodeURIComponent(value)))
    const fields = Object.entries(headers).map(
      ([name, text]) => [name, fill(text, purged, (_, value) => value)] as const,
    )
    const content = fill(body, purged, (name, value, before) => {
      if (name === 'tags' && kind === 'json' && isOutsideOfStrings(before))
        return JSON.stringify(purged.kind === 'tags' ? purged.tags : [])
      return escapeFor[kind](value)
    })
    return { url: encoded, method, headers: Object.fromEntries(fields), body: content }
  }
}

/** Converts an operator's purge. Throws a TypeError for an invalid URL. */
export function purgedBy(purge: Purge): Purged {
  if ('group' in purge) return { kind: 'tags', tags: [tagOf(purge.group)] }
  const { host, pathname, search } = new URL('url' in purge ? purge.url : purge.prefix)
  const path = pathname + search
  return 'url' in purge ? { kind: 'url', url: purge.url, host, path } : { kind: 'prefix', prefix: host + path }
}

/** Purges of cache groups, split into as many requests as needed. */
export function groupsPurged(groups: readonly string[]): Purged[] {
  const tags = [...new Set(groups.map(tagOf))].filter((tag) => tag !== '')
  const steps: Purged[] = []
  for (let i = 0; i < tags.length; i += MAX_TAGS) steps.push({ kind: 'tags', tags: tags.slice(i, i + MAX_TAGS) })
  return steps
}

function kindsOf({ url, headers, body }: PurgeHook): Kind[] {
  const text = [url, ...Object.values(headers), body].join('\n')
  const named = new Set<string | undefined>(Array.from(text.matchAll(PLACEHOLDER), ([, name]) => name))
  return (['url', 'prefix', 'tags'] as const).filter((kind) => KINDS[kind].some((name) => named.has(name)))
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

function contentTypeOf(hook: PurgeHook): string {
  return typeAmong(hook) ?? JSON_TYPE['Content-Type']
}

function typeAmong({ headers }: PurgeHook): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
}

function fill(text: string, purged: Purged, write: (name: string, value: string, before: string) => string): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string, at: number) =>
    write(name, valueOf(purged, name), text.slice(0, at)),
  )
}

/** Placeholders that do not apply to the kind of purge are empty. */
function valueOf(purged: Purged, name: string): string {
  if (purged.kind === 'tags') return name === 'tags' ? purged.tags.join(' ') : ''
  if (purged.kind === 'prefix') return name === 'prefix' ? purged.prefix : ''
  return name === 'url' ? purged.url : name === 'host' ? purged.host : name === 'path' ? purged.path : ''
}
