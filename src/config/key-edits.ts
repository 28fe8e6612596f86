import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isSeq, parseDocument, stringify, type YAMLMap, type YAMLSeq } from 'yaml'
import { escapeVariables } from '../core/escape-variables.ts'
import { isFields } from '../core/value.ts'
import { addItem, nodeAt, removeItem, setValue } from './yaml-edits.ts'

/** An API key under `keys` of the method `api-key`. Whoever makes one says what it is to be: no text in it is a variable. */
export type KeyEntry = Readonly<Record<string, unknown>> & { readonly id: string }

/** A change of a list of keys, as steps that are applied one after the other. */
type Change = (keys: readonly KeyEntry[]) => readonly Step[]

/** One step; the index is the item's index at that time. */
type Step =
  | { readonly add: KeyEntry; readonly at?: number }
  | { readonly remove: number }
  | { readonly expire: number; readonly expires: string }

/** Where the method is configured, for every route and for single routes. */
const METHOD = ['policies', 'auth', 'methods', 'api-key']

/**
 * The text of a configuration with an additional key, in the list for every route if there is one, else in that of the first route that has
 * one. Null if there is no such list, or if it is written in a way that only a person can edit.
 */
export function withKey(text: string, key: KeyEntry): string | null {
  const [first] = methodsIn(parseDocument(text))
  return first === undefined ? null : edited(text, (i) => (i === 0 ? () => [{ add: asWritten(key) }] : null))
}

/**
 * The text with a key that replaces the one of the same id that has no `expires`, or the first one of that id. The old key stays behind the
 * new one and expires at `end`, an ISO 8601 time, or is removed if `end` is null. Null as above, and if no key has that id.
 */
export function withRotatedKey(text: string, key: KeyEntry, end: string | null): string | null {
  const add = asWritten(key)
  return edited(text, () => (keys) => {
    const own = indexesOf(keys, key.id)
    const at = own.find((i) => keys[i]?.['expires'] === undefined) ?? own[0]
    if (at === undefined) return []
    if (end === null) return [{ add, at }, { remove: at + 1 }]
    return [
      { add, at },
      { expire: at + 1, expires: end },
    ]
  })
}

/** The text without the keys of that id, or only without those that also have that `prefix`. Null as above, and if there are none. */
export function withoutKey(text: string, id: string, prefix?: string): string | null {
  return edited(
    text,
    () => (keys) =>
      indexesOf(keys, id)
        .filter((i) => prefix === undefined || keys[i]?.['prefix'] === prefix)
        .map((i, gone) => ({ remove: i - gone })),
  )
}

function indexesOf(keys: readonly KeyEntry[], id: string): number[] {
  const written = escapeVariables(id)
  return keys.flatMap((key, i) => (key.id === written ? [i] : []))
}

/** The key as it stands in a text. */
function asWritten(key: KeyEntry): KeyEntry {
  const texts = Object.entries(key).map(([name, value]) => [name, literal(value)] as const)
  return { ...Object.fromEntries(texts), id: escapeVariables(key.id) }
}

function literal(value: unknown): unknown {
  if (typeof value === 'string') return escapeVariables(value)
  return Array.isArray(value) ? value.map(literal) : value
}

/** The text after the changes of its lists, by their index among all lists; null if nothing changes, or if something else would change. */
function edited(text: string, changeOf: (place: number) => Change | null): string | null {
  const before = parseDocument(text)
  if (before.errors.length > 0) return null
  let changed = text
  const expected = methodsIn(before).map((method, place) => {
    const keys = entriesOf(method)
    const steps = changeOf(place)?.(keys) ?? []
    for (const step of steps) changed = apply(changed, place, step)
    return steps.reduce(after, keys)
  })
  const now = parseDocument(changed)
  const isRight =
    now.errors.length === 0 &&
    isDeepStrictEqual(methodsIn(now).map(entriesOf), expected) &&
    isDeepStrictEqual(withoutLists(now), withoutLists(before))
  return changed === text || !isRight ? null : changed
}

/** The text after one step. */
function apply(text: string, place: number, step: Step): string {
  const method = methodsIn(parseDocument(text))[place]
  const list = method?.get('keys', true)
  if (method === undefined) return text
  if (!isSeq(list)) return 'add' in step && list === undefined ? setValue(text, method, 'keys', [step.add]) : text
  if ('add' in step) return addItem(text, list, step.add, step.at)
  if ('remove' in step) return removeItem(text, list, step.remove)
  const item = list.items[step.expire]
  return isMap(item) ? setValue(text, item, 'expires', step.expires) : text
}

function after(keys: readonly KeyEntry[], step: Step): readonly KeyEntry[] {
  if ('add' in step) return keys.toSpliced(step.at ?? keys.length, 0, step.add)
  if ('remove' in step) return keys.toSpliced(step.remove, 1)
  return keys.map((key, i) => (i === step.expire ? { ...key, expires: step.expires } : key))
}

/** The options of the method wherever they are written, without duplicates. */
function methodsIn(document: Document): YAMLMap[] {
  const routes = nodeAt(document, ['routes'])
  const count = isSeq(routes) ? routes.items.length : 0
  const places = [METHOD, ...Array.from({ length: count }, (_, i) => ['routes', i, ...METHOD])]
  return [...new Set(places.map((path) => nodeAt(document, path)).filter((node) => isMap(node)))]
}

function entriesOf(method: YAMLMap): KeyEntry[] {
  const keys = method.get('keys', true)
  const entries: unknown = isSeq(keys) ? plain(keys) : []
  return Array.isArray(entries) ? entries.filter((entry) => isEntry(entry)) : []
}

function isEntry(value: unknown): value is KeyEntry {
  return isFields(value) && typeof value['id'] === 'string'
}

function plain(list: YAMLSeq): unknown {
  return JSON.parse(JSON.stringify(list))
}

/** Everything else that the document holds. */
function withoutLists(document: Document): unknown {
  const copy = document.clone()
  for (const method of methodsIn(copy)) method.delete('keys')
  return copy.toJS()
}

/** A key as configuration lines that apply to every route. */
export function keyLines(key: KeyEntry): string {
  return stringify({ policies: { auth: { methods: { 'api-key': { keys: [asWritten(key)] } } } } })
}
