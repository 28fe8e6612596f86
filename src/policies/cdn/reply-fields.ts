import type { Exchange } from '../../http/exchange.ts'
import { fieldLine } from '../../http/field-lines.ts'
import { appendLines, type Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import type { Reply } from '../../http/reply.ts'
import { targetedFields } from '../../http/targeted-fields.ts'
import { type Directives, parseDirectives, parseTargeted, splitList } from '../cache/directives.ts'
import { mayBePersonal } from '../cache/storable.ts'
import { parseStrings } from '../structured-fields.ts'

/** Of the cacheable statuses, those that describe the resource rather than the request. */
const LASTING = new Set([200, 203, 204, 300, 301, 308, 404, 410])

/** Most bytes of tags in a reply: Cloudflare's limit, and close to Fastly's. */
const MAX_TAGS = 16_000

/** Directives that allow what `private` forbids. */
const FOR_ALL = new Set(['public', 's-maxage'])

/** Instructions for a CDN in addition to those of the service. */
export interface CdnFields {
  /** Directives, and the header that carries them; null for none. */
  readonly control: { readonly field: string; readonly value: string } | null
  /** The header for cache groups; null if the CDN is not told about them. */
  readonly tags: string | null
}

/** Compiles the step that adds the CDN's headers to a reply. */
export function compileFields({ control, tags }: CdnFields): (reply: Reply, exchange: Exchange) => void {
  const controlLine = control === null ? '' : fieldLine(control.field, control.value)
  const controlName = new NameSet(control === null ? [] : [control.field])
  const tellTags = tags === null ? null : compileTags(tags)
  return (reply, exchange) => {
    const { headers } = reply
    const targeted = targetedFields(headers)
    protect(headers, targeted, exchange)
    tellTags?.(headers)
    if (control === null || targeted.length > 0 || !mayStay(reply, exchange)) return
    appendLines(headers, controlName, controlLine)
  }
}

/** Whether the CDN may be told to cache a reply for which the service gave no instructions. */
function mayStay({ status, headers }: Reply, exchange: Exchange): boolean {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return false
  if (!LASTING.has(status) || headers.has('Set-Cookie') || headers.combined('Vary')?.includes('*') === true)
    return false
  if (mayBePersonal(exchange, 'public')) return false
  const directives = parseDirectives(headers.combined('Cache-Control'))
  return !directives.has('private') && !directives.has('no-store') && !directives.has('no-cache')
}

/**
 * Adds `private` to a reply that may be meant for the caller only, unless the service says otherwise. This concerns replies that
 * set a cookie in any case; those to a known consumer or to a request with credentials unless they are declared public (RFC 9111
 * section 3.5); and those to a caller who may have a session if nothing says how long they are fresh.
 */
function protect(headers: Headers, targeted: readonly string[], exchange: Exchange): void {
  const setsCookie = headers.has('Set-Cookie')
  if (!setsCookie && !mayBePersonal(exchange, 'public')) return
  const known = exchange.consumer !== null || exchange.headers.has('Authorization')
  const expires = headers.has('Expires')
  for (const field of ['Cache-Control', ...targeted]) {
    const value = headers.combined(field)
    const directives =
      field === 'Cache-Control' ? parseDirectives(value) : (parseTargeted(value) ?? parseDirectives(value))
    if (directives.has('no-store') || isPrivate(directives)) continue
    if (!setsCookie && isSaid(directives, known, expires && field === 'Cache-Control')) continue
    const remaining = splitList(value ?? '').filter((part) => !setsCookie || !FOR_ALL.has(nameOf(part)))
    headers.set(field, [...remaining, 'private'].join(', '))
  }
}

function isPrivate(directives: Directives): boolean {
  return directives.get('private') === null
}

/** Whether the service says that others may have the reply too. */
function isSaid(directives: Directives, known: boolean, expires: boolean): boolean {
  if (directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate')) return true
  return !known && (directives.has('max-age') || expires)
}

function nameOf(part: string): string {
  const [name = ''] = part.split('=', 1)
  return name.trim().toLowerCase()
}

/** Appends the cache groups of a reply (RFC 9875) to the header of tags. */
function compileTags(field: string): (headers: Headers) => void {
  const separator = separatorOf(field)
  return (headers) => {
    const groups = headers.combined('Cache-Groups')
    const names = groups === undefined ? null : parseStrings(groups)
    if (names === null) return
    const all = new Set((headers.combined(field) ?? '').split(/[\s,]+/).filter((tag) => tag !== ''))
    let bytes = [...all].join(separator).length
    for (const name of names) {
      const tag = tagOf(name)
      bytes += tag.length + separator.length
      if (tag !== '' && bytes <= MAX_TAGS) all.add(tag)
    }
    if (all.size > 0) headers.set(field, [...all].join(separator))
  }
}

/** The separator of tags: a space in Surrogate-Key, a comma in all other headers. */
function separatorOf(field: string): string {
  return /^(?:surrogate-key|xkey)$/i.test(field) ? ' ' : ','
}

/** A cache group as a tag, which may contain neither spaces nor commas. */
export function tagOf(group: string): string {
  return group.replaceAll(/[^!-~]|[%,]/g, (character) => encodeURIComponent(character))
}
