import { type Document, isMap, isNode, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml'
import { followAlias, isMergeKey, mergedMaps } from './merge-keys.ts'
import type { Path, SourcePosition } from './problems.ts'
import type { Source } from './source.ts'

/** The source of a configuration that was read from YAML; `substituted` has the text of each scalar before variables were substituted. */
export function yamlSource(
  file: string,
  document: Document.Parsed,
  lines: LineCounter,
  substituted: ReadonlyMap<Node, string>,
): Source {
  const follow = (node: unknown): unknown => followAlias(node, document)
  const at = (path: Path): unknown => path.reduce<unknown>((node, step) => child(follow(node), step), document.contents)

  function child(parent: unknown, step: string | number): unknown {
    return isSeq(parent) ? parent.items[Number(step)] : pairOf(parent, step)?.value
  }

  /** The pair in the map itself, or in those merged into it. */
  function pairOf(map: unknown, key: string | number | undefined): Pair | undefined {
    if (!isMap(map)) return undefined
    const own = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key && !isMergeKey(pair.key))
    if (own !== undefined) return own
    const merged = map.items.flatMap((pair) => (isMergeKey(pair.key) ? (mergedMaps(pair, document) ?? []) : []))
    for (const each of merged) {
      const pair = pairOf(each, key)
      if (pair !== undefined) return pair
    }
    return undefined
  }

  function locate(path: Path): SourcePosition | undefined {
    return positionOf(at(path), lines) ?? (path.length === 0 ? undefined : locateKey(path))
  }

  function locateKey(path: Path): SourcePosition | undefined {
    const parent = path.slice(0, -1)
    const pair = pairOf(follow(at(parent)), path.at(-1))
    return positionOf(pair?.key, lines) ?? locate(parent)
  }

  function written(path: Path): string | undefined {
    const node = follow(at(path))
    return isNode(node) ? substituted.get(node) : undefined
  }

  return { file, locate, locateKey, written, asWritten: (path) => path }
}

function positionOf(node: unknown, lines: LineCounter): SourcePosition | undefined {
  return isNode(node) && node.range ? positionAt(node.range[0], lines) : undefined
}

/** Line and column of an offset. */
export function positionAt(offset: number, lines: LineCounter): SourcePosition {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}
