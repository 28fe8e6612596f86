import type { Headers } from '../../http/headers.ts'
import { splitList } from './directives.ts'
import type { Variant } from './store.ts'

/** Fields in which neither the order of the members nor the case of letters means anything (RFC 9110 section 12.5). */
const UNORDERED = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language'])

/** A field that is not there selects differently from an empty one; no value begins with NUL. */
const ABSENT = '\0'

/** The request fields that a reply depends on, in lower case; null if on more than any request shows (Vary: *). */
export function varyOf(reply: Headers): readonly string[] | null {
  const names = reply.getAll('Vary').flatMap(splitList)
  const lower = names.map((name) => name.toLowerCase())
  return lower.some((name) => UNSEEN.has(name)) ? null : [...new Set(lower)].toSorted()
}

/** What a reply may depend on that the request does not show here: the wire has such fields, or writes them behind the cache. */
const UNSEEN = new Set(['*', 'x-forwarded-for', 'te', 'traceparent', 'tracestate'])

/**
 * The same where nobody knows whether the service thinks of caches at all: with the fields that the reply shows to depend
 * on, though it does not say so.
 */
export function guessedVary(reply: Headers): readonly string[] | null {
  const names = varyOf(reply)
  if (names === null) return null
  const shown = DEPENDENCES.filter(([field, independent, name]) => {
    const value = reply.get(field)
    return value !== undefined && value.toLowerCase() !== independent && !names.includes(name)
  })
  return shown.length === 0 ? names : [...names, ...shown.map(([, , name]) => name)].toSorted()
}

/** Fields of replies that depend on one of the request, unless they have that value. */
const DEPENDENCES = [
  ['Content-Encoding', 'identity', 'accept-encoding'],
  ['Access-Control-Allow-Origin', '*', 'origin'],
] as const

/**
 * Whether the request has a field that services behind CGI take for one of those, though it is not spelled so: a reply
 * to "Accept.Language: de" is none for those who did not ask for it.
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

/** What the request says in those fields, each in one form whatever its spacing and number of lines (RFC 9111 section 4.1). */
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

/** Whether both are for the same requests. */
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
      (name === 'accept-language' && entry.language !== null && entry.language === favourite(values[index] ?? '')),
  )
}

/** The one language that the client likes best: whatever else is there, it gets that if the service has it. */
function favourite(value: string): string | null {
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
