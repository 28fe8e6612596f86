import { type PathPattern, parameterNames } from './pattern.ts'
import { SegmentTable } from './segment-table.ts'

/** A tree of path segments; every pattern leads to one of its leaves. */
export interface TrieNode<Leaf> {
  /** Children by literal segment, or null if there are none. */
  literals: SegmentTable<TrieNode<Leaf>> | null
  /** The literal child if it is the only one: compared in place, without extracting the segment from the path. */
  onlyLiteral: { readonly segment: string; readonly node: TrieNode<Leaf> } | null
  /** The child for any non-empty segment. */
  parameter: TrieNode<Leaf> | null
  /** For paths that end here. */
  end: Leaf | null
  /** For paths that end here or continue. */
  prefix: Leaf | null
}

/** The paths of one host: plain paths in a single map, all other patterns in a trie. */
export interface PathTable<Leaf> {
  readonly plain: Map<string, Leaf>
  /** Lengths of the plain paths: a lookup of a path that cannot be among them would cost more. */
  readonly lengths: Set<number>
  readonly root: TrieNode<Leaf>
}

/** A table without patterns. */
export function emptyPathTable<Leaf>(): PathTable<Leaf> {
  return { plain: new Map(), lengths: new Set(), root: emptyNode() }
}

/** The leaf of the pattern, created by `create` if missing. */
export function leafFor<Leaf>(table: PathTable<Leaf>, pattern: PathPattern, create: () => Leaf): Leaf {
  if (!pattern.isPrefix && parameterNames(pattern.segments).length === 0) {
    table.lengths.add(pattern.text.length)
    return entryFor(table.plain, pattern.text, create)
  }
  let node = table.root
  for (const segment of pattern.segments) {
    if ('parameter' in segment) {
      node = node.parameter ??= emptyNode()
      continue
    }
    node = literalChild(node, segment.literal)
  }
  if (pattern.isPrefix) return (node.prefix ??= create())
  return (node.end ??= create())
}

/** The literal child for a segment of the path. */
export function findLiteral<Leaf>(
  node: TrieNode<Leaf>,
  path: string,
  start: number,
  end: number,
): TrieNode<Leaf> | undefined {
  const only = node.onlyLiteral
  if (only === null) return node.literals?.get(path, start, end)
  return only.segment.length === end - start && path.startsWith(only.segment, start) ? only.node : undefined
}

/** The value for the key, created by `create` if missing. */
export function entryFor<V>(map: Map<string, V>, key: string, create: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = create()
  map.set(key, made)
  return made
}

function literalChild<Leaf>(parent: TrieNode<Leaf>, segment: string): TrieNode<Leaf> {
  parent.literals ??= new SegmentTable()
  const node = parent.literals.ensure(segment, emptyNode<Leaf>)
  parent.onlyLiteral = parent.literals.size === 1 ? { segment, node } : null
  return node
}

function emptyNode<Leaf>(): TrieNode<Leaf> {
  return { literals: null, onlyLiteral: null, parameter: null, end: null, prefix: null }
}
