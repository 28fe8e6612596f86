import type { Pointer } from './json-pointer.ts'
import { isJsonMap, type Json, type JsonList, type JsonMap } from './json-text.ts'

/** Pointers arranged by their steps; true where a pointer ends, regardless of longer ones. */
export type PointerTree = ReadonlyMap<string, PointerTree | true>

const INDEX = /^(?:0|[1-9]\d{0,8})$/

/** Merges pointers with common prefixes. */
export function pointerTree(pointers: readonly Pointer[]): PointerTree {
  const groups = Map.groupBy(pointers, ([step = '']) => step)
  return new Map(
    Array.from(groups, ([step, group]) => [
      step,
      group.some(({ length }) => length === 1) || pointerTree(group.map((pointer) => pointer.slice(1))),
    ]),
  )
}

/** Keeps only what the pointers lead to; a map or list without matches becomes empty. Other values have nothing below them. */
export function pick(value: Json, tree: PointerTree): Json {
  if (Array.isArray(value))
    return value.flatMap((item, index) => {
      const below = branch(tree, index)
      return below === undefined ? [] : [below === true ? item : pick(item, below)]
    })
  if (!isJsonMap(value)) return null
  const result: JsonMap = {}
  for (const [step, below] of tree) {
    const member = memberOf(value, step)
    if (member !== undefined) result[step] = below === true ? member : pick(member, below)
  }
  return result
}

/** Removes what the pointers lead to. */
export function omit(value: Json, tree: PointerTree): void {
  if (tree.size === 0) return
  if (Array.isArray(value)) {
    for (let index = value.length - 1; index >= 0; index--) {
      const below = branch(tree, index)
      const item = value[index]
      if (below === true) value.splice(index, 1)
      else if (below !== undefined && item !== undefined) omit(item, below)
    }
    return
  }
  if (!isJsonMap(value)) return
  for (const [step, below] of tree) {
    const member = memberOf(value, step)
    if (member === undefined) continue
    if (below === true) delete value[step]
    else omit(member, below)
  }
}

/** Moves a value from one place to another. */
export function move(root: JsonMap | JsonList, from: Pointer, to: Pointer): void {
  const parent = from.slice(0, -1).reduce<Json | undefined>(childOf, root)
  const last = from.at(-1) ?? ''
  const moved = childOf(parent, last)
  if (moved === undefined) return
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isJsonMap(parent)) delete parent[last]
  put(root, to, () => moved)
}

/** Puts values at the place that the pointer leads to, creating missing maps on the way; nothing is put below a scalar. */
export function put(parent: JsonMap | JsonList, pointer: Pointer, make: () => Json): void {
  const [step = '', ...rest] = pointer
  for (const key of Array.isArray(parent) ? indices(parent, step) : [step]) {
    const child = rest.length === 0 ? make() : (childOf(parent, String(key)) ?? {})
    if (Array.isArray(parent)) parent[Number(key)] = child
    else parent[key] = child
    if (rest.length > 0 && (Array.isArray(child) || isJsonMap(child))) put(child, rest, make)
  }
}

/** The indices that a step stands for in a list; "-" is the position after the last item (RFC 6901 section 4). */
function indices(list: JsonList, step: string): number[] {
  if (step === '*') return [...list.keys()]
  if (step === '-') return [list.length]
  return INDEX.test(step) && Number(step) <= list.length ? [Number(step)] : []
}

/** The branch for an item, combined from its own index and "*". */
function branch(tree: PointerTree, index: number): PointerTree | true | undefined {
  const own = tree.get(String(index))
  const all = tree.get('*')
  if (own === undefined || all === undefined) return own ?? all
  return own === true || all === true ? true : merge(own, all)
}

function merge(a: PointerTree, b: PointerTree): PointerTree {
  const merged = new Map(a)
  for (const [step, below] of b) {
    const known = merged.get(step)
    merged.set(step, known === undefined ? below : known === true || below === true ? true : merge(known, below))
  }
  return merged
}

function childOf(parent: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(parent)) return INDEX.test(step) ? parent[Number(step)] : undefined
  return isJsonMap(parent) ? memberOf(parent, step) : undefined
}

function memberOf(map: JsonMap, name: string): Json | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined
}
