import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml'
import { isMergeKey, mergedMaps } from '../config/merge-keys.ts'
import type { SourcePosition } from '../config/problems.ts'
import { ImportError } from './import-error.ts'
import { markBeforeParsing, markVariables } from './variables.ts'

/** The contents of a file, with the places of its maps and lists. */
export interface SourceTree {
  readonly value: unknown
  /** The place of a map or list in `value`; the beginning of the file for anything else. */
  readonly positionOf: (value: unknown) => SourcePosition
}

/** A text that aliases make larger than this is an attack, or useless. */
const MAX_NODES = 1_000_000
const MAX_DEPTH = 100

const BEGINNING: SourcePosition = { line: 1, column: 1 }

/** Reads YAML or JSON; variables in its texts are marked (`variables.ts`). Throws ImportError. */
export function readSourceTree(text: string, file: string): SourceTree {
  const lines = new LineCounter()
  const documents = parseAllDocuments(markBeforeParsing(text.replace(/^\uFEFF/, '')), {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    merge: true,
    uniqueKeys: false,
  })
  const [document, second] = 'empty' in documents ? [] : documents
  if (document === undefined) throw new ImportError(`${file}: is empty: nothing to import.`)
  const positionAt = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const fail = (offset: number, what: string): never => {
    const { line, column } = positionAt(offset)
    throw new ImportError(`${file}:${line}:${column}: ${what}`)
  }
  const [error] = document.errors
  if (error !== undefined) return fail(error.pos[0], `is neither YAML nor JSON: ${error.message}`)
  if (second !== undefined)
    return fail(second.range[0], 'has several YAML documents: expected one, so import them one by one.')
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined)
        fail(alias.range?.[0] ?? 0, `the alias has no anchor "&${alias.source}" before it.`)
    },
  })

  const positions = new WeakMap<object, SourcePosition>()
  const value = new Conversion(document, positions, positionAt, fail).valueOf(document.contents, null, 0)
  return {
    value,
    positionOf: (each) => (typeof each === 'object' && each !== null && positions.get(each)) || BEGINNING,
  }
}

/** Converts nodes to values. The target of an alias is converted again, with the place of the alias. */
class Conversion {
  private nodes = 0
  /** Finding the target of an alias takes a pass over the document. */
  private readonly targets = new Map<Alias, unknown>()
  private readonly document: Document.Parsed
  private readonly positions: WeakMap<object, SourcePosition>
  private readonly positionAt: (offset: number) => SourcePosition
  private readonly fail: (offset: number, what: string) => never

  constructor(
    document: Document.Parsed,
    positions: WeakMap<object, SourcePosition>,
    positionAt: (offset: number) => SourcePosition,
    fail: (offset: number, what: string) => never,
  ) {
    this.document = document
    this.positions = positions
    this.positionAt = positionAt
    this.fail = fail
  }

  valueOf(node: unknown, place: number | null, depth: number): unknown {
    const at = place ?? offsetOf(node)
    if (++this.nodes > MAX_NODES || depth > MAX_DEPTH)
      this.fail(at ?? 0, 'is too large to import, or has too many aliases.')
    if (isAlias(node)) return this.valueOf(this.targetOf(node), at, depth + 1)
    if (isMap(node)) {
      const members = new Map<string, unknown>()
      this.addMembers(node.items, members, place, depth)
      return this.placed(Object.fromEntries(members), at)
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.valueOf(item, place, depth + 1))
      return this.placed(items, at)
    }
    if (!isScalar(node)) return null
    return typeof node.value === 'string' ? markVariables(node.value) : node.value
  }

  private targetOf(alias: Alias): unknown {
    const known = this.targets.get(alias)
    if (known !== undefined) return known
    const target = alias.resolve(this.document)
    this.targets.set(alias, target)
    return target
  }

  /** A map's own members take precedence over merged ones. */
  private addMembers(pairs: readonly Pair[], members: Map<string, unknown>, place: number | null, depth: number): void {
    if (depth > MAX_DEPTH) this.fail(place ?? 0, 'is too large to import, or has too many aliases.')
    const merged = pairs.filter(({ key }) => isMergeKey(key))
    for (const pair of pairs) {
      const { key, value } = pair
      if (!isScalar(key) || isMergeKey(key)) continue
      const name = String(key.value)
      // Assigning to that name would set the prototype, and no real member has it.
      if (name !== '__proto__') members.set(name, this.valueOf(value, place, depth + 1))
    }
    for (const pair of merged)
      for (const map of mergedMaps(pair, this.document) ?? []) {
        const beneath = new Map<string, unknown>()
        this.addMembers(map.items, beneath, place, depth + 1)
        for (const [name, value] of beneath) if (!members.has(name)) members.set(name, value)
      }
  }

  private placed<Value extends object>(value: Value, offset: number | null): Value {
    if (offset !== null) this.positions.set(value, this.positionAt(offset))
    return value
  }
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? ((node satisfies Node).range?.[0] ?? null) : null
}
