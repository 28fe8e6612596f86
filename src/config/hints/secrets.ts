import { isFields } from '../../core/value.ts'
import { isSecret } from '../../telemetry/redact.ts'
import type { Path } from '../problems.ts'
import type { Hint, HintRule } from './hint.ts'

/** Words that examples contain; the chance that a random secret contains one is less than one in a million. */
const GUESSABLE = /secret|passw|change-?_?me|example|sallyport|qwerty|letmein|0123456|1234567|abcdefg|xxxxx/i

/** Random text of the length required of secrets has at least this many different characters. */
const MIN_COUNT = 6

/** Shorter texts under such a name are header names and the like. */
const MIN_LENGTH = 12

/** Options do not nest deeper; anything deeper is a circular reference. */
const DEPTH = 16

/** Secrets in the configuration that can be guessed. They are never shown. */
export const secretHints: HintRule = ({ secrets, admin, policies, routes }) => {
  const places: Hint[] = []
  secrets.forEach((text, i) => look(places, ['secrets', ...(secrets.length === 1 ? [] : [i])], text))
  if (admin !== false && admin.token !== null) look(places, ['admin', 'token'], admin.token)
  // Routes include the options that apply to every route, as objects of their own if the route changes something.
  const seen = new Set<unknown>()
  search(places, ['policies'], policies, seen, DEPTH)
  for (const [i, route] of routes.entries()) search(places, ['routes', i, 'policies'], route.policies, seen, DEPTH)
  return places
}

/** Checks each text below that has the name of a secret, once no matter how many routes share it. */
function search(found: Hint[], path: Path, value: unknown, seen: Set<unknown>, depth: number): void {
  if (depth === 0 || typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  const entries = Array.isArray(value) ? value.entries() : isFields(value) ? Object.entries(value) : []
  for (const [step, child] of entries) {
    const isOfSecret = typeof step === 'string' ? isSecret(step) : isSecret(String(path.at(-1)))
    if (typeof child !== 'string') search(found, [...path, step], child, seen, depth - 1)
    else if (isOfSecret && !seen.has(child)) {
      seen.add(child)
      look(found, Array.isArray(value) && value.length === 1 ? path : [...path, step], child)
    }
  }
}

function look(found: Hint[], path: Path, text: string): void {
  // A PEM key is checked where it is read, and a digest cannot be guessed.
  if (text.length < MIN_LENGTH || text.includes('-----BEGIN')) return
  if (!GUESSABLE.test(text) && new Set(text).size >= MIN_COUNT) return
  const message =
    'is easy to guess: it looks like a word or an example. Use random text, for example from "openssl rand -base64 32".'
  found.push({ path, message })
}
