import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, Scalar, type YAMLMap } from 'yaml'

/** Whether the key is `<<`, which merges other maps beneath the map's own members (YAML merge key 1.1). */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === Scalar.PLAIN
}

/** The maps that a merge key names, highest precedence first; null if its value is something else. */
export function mergedMaps({ value }: Pair, document: Document.Parsed): YAMLMap[] | null {
  const followed = followAlias(value, document)
  const all = isSeq(followed) ? followed.items.map((item) => followAlias(item, document)) : [followed]
  const maps = all.filter((each) => isMap(each))
  return maps.length === all.length ? maps : null
}

/** The node that an alias stands for, or the node itself. */
export function followAlias(node: unknown, document: Document.Parsed): unknown {
  return isAlias(node) ? node.resolve(document) : node
}
