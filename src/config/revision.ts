import { createHash, hash } from 'node:crypto'
import { type SlicedWork, runToEnd } from '../core/time-slices.ts'
import type { GatewayConfig } from './schema.ts'
import { itemsOf } from '../core/value.ts'

/** Options do not nest deeper; anything deeper is a circular reference. */
const DEPTH = 64
/** Down to this depth, the order of keys has no meaning: services and policies are found by name. */
const BY_NAME = 2
/** Number of values in a piece that is serialized with JSON, which is ten times as fast as walking it here. */
const PIECE = 5000
/** Characters of a text that count as one value. */
const CHARACTERS = 64
/** The number of routes that are handled in one step. */
const AT_ONCE = 100
/** A longer form, in characters, is replaced by its digest. */
const LONG = 4096

/**
 * Identifies the meaning of a configuration: two configurations with the same revision are equal, including secrets, documents and the
 * contents of the files named in `beside` with their digests. The spelling of the file makes no difference, nor does the order of named
 * things.
 */
export function revisionOf(config: GatewayConfig, beside: ReadonlyMap<string, string>): string {
  return runToEnd(revising(config, beside))
}

/** Does the same in steps, for a thread that has other work to do in between. */
export function* revising(config: GatewayConfig, beside: ReadonlyMap<string, string>): SlicedWork<string> {
  const known = new Map<object, string>()
  let routes = ''
  for (const [i, route] of config.routes.entries()) {
    routes += formOf(route, BY_NAME, known)
    if (i % AT_ONCE === AT_ONCE - 1) yield
  }
  known.set(config.routes, shortened(`[${routes}]`))
  const digest = createHash('sha256').update(formOf(config, 0, known))
  for (const file of [...beside].toSorted(([a], [b]) => (a < b ? -1 : 1))) digest.update(JSON.stringify(file))
  return digest.digest('hex')
}

/** A digest of a value, such as options; equal values have equal digests. */
export function digestOf(value: unknown): string {
  return hash('sha256', formOf(value, BY_NAME, new Map()), 'base64url')
}

/** A text that is the same for equal values and different for others. `known` caches the forms of shared values. */
function formOf(value: unknown, depth: number, known: Map<object, string>): string {
  if (typeof value === 'string') return `"${value.length}:${value}`
  if (typeof value !== 'object' || value === null) return `${typeof value} ${String(value)};`
  if (depth > DEPTH) return '…'
  if (depth >= BY_NAME && jsonValues(value, PIECE) > 0) return JSON.stringify(value)
  const found = known.get(value)
  if (found !== undefined) return found
  const form = formOfObject(value, depth + 1, known)
  const short = shortened(form)
  if (short !== form) known.set(value, short)
  return short
}

function shortened(form: string): string {
  return form.length <= LONG ? form : `#${hash('sha256', form)};`
}

/** What remains of the budget `left` after the values in this one, as far as JSON can represent all of them; otherwise 0 or less. */
function jsonValues(value: unknown, left: number): number {
  if (typeof value === 'string') return left - 1 - value.length / CHARACTERS
  if (typeof value === 'boolean' || value === null) return left - 1
  if (typeof value === 'number') return Number.isFinite(value) ? left - 1 : 0
  if (typeof value !== 'object') return 0
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return 0
  let rest = left - 1
  for (const part of Array.isArray(value) ? itemsOf(value) : Object.values(value)) {
    if (rest <= 0) return 0
    if (part !== undefined || Array.isArray(value)) rest = jsonValues(part, rest)
  }
  return rest
}

/** What options of policies may hold: everything that can be cloned to another thread. */
function formOfObject(value: object, depth: number, known: Map<object, string>): string {
  const formOfItems = (kind: string, items: Iterable<unknown>): string =>
    `${kind}[${Array.from(items, (item) => formOf(item, depth, known)).join('')}]`
  if (Array.isArray(value)) return formOfItems('', value)
  if (value instanceof Map) return formOfItems('Map', value)
  if (value instanceof Set) return formOfItems('Set', value)
  if (value instanceof Date) return `Date ${value.getTime()};`
  if (value instanceof RegExp) return `RegExp ${formOf(String(value), depth, known)}`
  if (value instanceof ArrayBuffer) return formOfBytes('', new Uint8Array(value))
  if (ArrayBuffer.isView(value)) return formOfBytes(Object.prototype.toString.call(value), value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return formOfItems('Object', fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat())
}

/** The same bytes are other numbers in another kind of array. */
function formOfBytes(kind: string, { buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return `octets ${kind}${Buffer.from(buffer, byteOffset, byteLength).toString('base64')};`
}
