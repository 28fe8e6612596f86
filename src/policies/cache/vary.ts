import type { Headers } from '../../http/headers.ts'
import { splitList } from './directives.ts'
import type { Variant } from './store.ts'

/** Headers in which the order of members and the case of letters are insignificant (RFC 9110 section 12.5). */
const UNORDERED = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language'])

/** A missing header selects differently from an empty one; no value begins with NUL. */
const ABSENT = '\0'

/** The request headers that a reply depends on, in lower case; null if it depends on more than the request (Vary: *). */
export function varyOf(reply: Headers): readonly string[] | null {
  const names = reply.getAll('Vary').flatMap(splitList)
  const lower = names.map((name) => name.toLowerCase())
  return lower.some((name) => UNSEEN.has(name)) ? null : [...new Set(lower)].toSorted()
}

/** Values of Vary that cannot be evaluated here: the wire layer keeps such headers to itself, or writes them after the cache. */
const UNSEEN = new Set(['*', 'x-forwarded-for', 'te', 'traceparent', 'tracestate'])

/** The same for services that may not support caches: includes request headers that the reply evidently depends on without saying so. */
export function guessedVary(reply: Headers): readonly string[] | null {
  const names = varyOf(reply)
  if (names === null) return null
  const shown = DEPENDENCES.filter(([field, independent, name]) => {
    const value = reply.get(field)
    return value !== undefined && value.toLowerCase() !== independent && !names.includes(name)
  })
  return shown.length === 0 ? names : [...names, ...shown.map(([, , name]) => name)].toSorted()
}

/** Reply headers that imply a dependency on a request header, unless they have the given value. */
const DEPENDENCES = [
  ['Content-Encoding', 'identity', 'accept-encoding'],
  ['Access-Control-Allow-Origin', '*', 'origin'],
] as const

/**
 * Whether the request has a header that a service behind CGI would take for one of these although it is spelled differently: a
 * reply to "Accept.Language: de" is not suitable for clients that did not send it.
 */
export function isSpelledOtherwise(names: readonly string[], request: Headers): boolean {
  for (const [name] of request) {
    const lower = name.toLowerCase()
    if (!ODD.test(lower) || names.includes(lower)) continue
    const folded = lower.replaceAll(EACH_ODD, '-')
    if (names.some((each) => each.replaceAll(EACH_ODD, '-') === folded)) return true
  }
  return false
}

const ODD = /[^a-z0-9-]/
const EACH_ODD = /[^a-z0-9]/g

/** The values of these request headers, normalized in spacing and number of lines (RFC 9111 section 4.1). */
export function selectingValues(names: readonly string[], request: Headers): readonly string[] {
  return names.map((name) => {
    const value = request.combined(name)
    if (value === undefined) return ABSENT
    const members = splitList(value)
    if (!UNORDERED.has(name)) return members.join(',')
    return members
      .map((member) => member.toLowerCase().replaceAll(/\s*;\s*/g, ';'))
      .toSorted()
      .join(',')
  })
}

/** The variant that answers such a request: the first of the list, which is the newest, or null. */
export function select<Each extends Variant>(variants: readonly Each[], request: Headers): Each | null {
  for (const variant of variants) if (variant.vary.length === 0 || selects(variant, request)) return variant
  return null
}

/** Whether both answer the same requests. */
export function isSameVariant(one: Variant, other: Variant): boolean {
  return isSameList(one.vary, other.vary) && isSameList(one.selecting, other.selecting)
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index])
}

function selects(entry: Variant, request: Headers): boolean {
  const values = selectingValues(entry.vary, request)
  return entry.vary.every(
    (name, index) =>
      values[index] === entry.selecting[index] ||
      (name === 'accept-language' && entry.language !== null && entry.language === favorite(values[index] ?? '')),
  )
}

/** The language that the client prefers most: whatever else is available, it gets this one if the service has it. */
function favorite(value: string): string | null {
  const ranked = value
    .split(',')
    .map((member) => {
      const [language = '', ...parameters] = member.split(';')
      const quality = parameters.find((parameter) => parameter.startsWith('q='))
      return { language, quality: quality === undefined ? 1 : Number(quality.slice(2)) }
    })
    .toSorted((a, b) => b.quality - a.quality)
  const [best, second] = ranked
  return best === undefined || best.quality === second?.quality ? null : best.language
}
