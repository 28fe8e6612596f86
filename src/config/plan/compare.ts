import { isDeepStrictEqual } from 'node:util'
import { ANY } from '../option-paths.ts'
import type { Path } from '../problems.ts'
import { at, isFields, itemsOf } from '../../core/value.ts'
import { isPlain } from './canonical.ts'
import type { Tree } from './tree.ts'

/** One difference; `before` is undefined for a new value, `after` for a removed one. */
export interface Difference {
  readonly path: Path
  /** May be shown. */
  readonly before: unknown
  readonly after: unknown
  /** With secrets: only for comparison, never to be shown. */
  readonly real: { readonly before: unknown; readonly after: unknown }
}

/** Lists whose order has no meaning: their items are compared one by one. */
const SETS: readonly Path[] = [
  ['trustedProxies'],
  ['proxyFields'],
  ['routes', ANY, 'match', 'path'],
  ['routes', ANY, 'match', 'host'],
  ['routes', ANY, 'match', 'method'],
]

/** Options do not nest deeper; anything deeper is a circular reference and is compared as a whole. */
const DEPTH = 32

/** The differences between two trees, in tree order: first what was removed or changed, then what is new. */
export function compareTrees(before: Tree, after: Tree): Difference[] {
  return compare([], before, after)
}

function compare(path: Path, before: Tree, after: Tree): Difference[] {
  if (isDeepStrictEqual(before.real, after.real)) return []
  if (isPlain(before.real) && isPlain(after.real) && path.length < DEPTH)
    return keysOf(before.real, after.real).flatMap((key) =>
      compare([...path, key], stepTo(before, key), stepTo(after, key)),
    )
  if (!Array.isArray(before.real) || !Array.isArray(after.real)) return [difference(path, before, after)]
  if (SETS.some((place) => isAt(path, place))) return compareSets(path, before, after)
  const isList = before.real.length === after.real.length && before.real.every(isPlain) && after.real.every(isPlain)
  if (!isList) return [difference(path, before, after)]
  return before.real.flatMap((_, i) => compare([...path, i], stepTo(before, i), stepTo(after, i)))
}

function compareSets(path: Path, before: Tree, after: Tree): Difference[] {
  const none = { real: undefined, shown: undefined }
  return [
    ...itemsWithout(before, after).map((item) => difference(path, item, none)),
    ...itemsWithout(after, before).map((item) => difference(path, none, item)),
  ]
}

function itemsWithout(tree: Tree, other: Tree): Tree[] {
  return itemsOf(tree.real).flatMap((item, i) =>
    itemsOf(other.real).some((each) => isDeepStrictEqual(each, item)) ? [] : [stepTo(tree, i)],
  )
}

function difference(path: Path, before: Tree, after: Tree): Difference {
  return { path, before: before.shown, after: after.shown, real: { before: before.real, after: after.real } }
}

function stepTo({ real, shown }: Tree, step: string | number): Tree {
  return { real: at(real, step), shown: isFields(shown) || Array.isArray(shown) ? at(shown, step) : shown }
}

function keysOf(before: object, after: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
}

/** Whether a path matches the pattern. */
function isAt(path: Path, pattern: Path): boolean {
  return path.length === pattern.length && startsWith(path, pattern)
}

/** Whether a path matches the pattern or is below a match. */
export function startsWith(path: Path, pattern: Path): boolean {
  return path.length >= pattern.length && pattern.every((step, i) => step === ANY || step === path[i])
}
