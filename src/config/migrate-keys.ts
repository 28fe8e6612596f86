import { version } from '../core/version.ts'
import { at, type Fields, isFields, putAll } from '../core/value.ts'
import { ANY, matching } from './option-paths.ts'
import { formatPath, type Path, type Problem } from './problems.ts'
import { isAccepted, refusedFrom, type RenamedKey, renamedKeys } from './renamed-keys.ts'
import type { Source } from './source.ts'

/** A configuration with current key names. */
export interface MigratedKeys {
  readonly value: unknown
  /** Knows each value by its new name and finds it under the old one. */
  readonly source: Source
  /** Old names that were accepted, once for each place. */
  readonly warnings: readonly Problem[]
  /** Old names that are refused. */
  readonly problems: readonly Problem[]
}

/** An old name in a map of the configuration. */
interface Found {
  readonly map: Path
  readonly fields: Fields
  readonly key: RenamedKey
}

/**
 * Renames the keys that have old names, as version `running` does. A value that is given under both names, or under a name that is too old,
 * is left out and reported as a problem.
 */
export function migrateKeys(
  value: unknown,
  source: Source,
  keys: readonly RenamedKey[] = renamedKeys,
  running = version,
): MigratedKeys {
  const applied: Found[] = []
  const problems: Problem[] = []
  const warnings = new Map<string, Problem>()
  let whole = value
  for (const key of keys) {
    const found = foundIn(whole, key)
    for (const each of found) {
      const problem = problemOf(each, running)
      const path: Path = [...each.map, key.old]
      const place = { file: source.file, position: source.locateKey(path), path: formatPath(path) }
      if (problem === null) applied.push(each)
      if (problem !== null) problems.push({ ...place, message: problem })
      // A name in an anchor is reported once.
      const { line, column } = place.position ?? {}
      const position = line === undefined ? place.path : `${line}:${column}`
      if (problem === null && !warnings.has(position)) warnings.set(position, { ...place, message: warningOf(each) })
    }
    whole = putAll(
      whole,
      found.map(({ map, fields }) => [map, withNewName(fields, key, running)]),
    )
  }
  return { value: whole, source: sourceOf(source, applied), warnings: [...warnings.values()], problems }
}

function foundIn(value: unknown, key: RenamedKey): Found[] {
  const places = key.map[0] === 'policies' ? [key.map, ['routes', ANY, ...key.map]] : [key.map]
  return places
    .flatMap((place) => matching(value, place))
    .flatMap((map) => {
      const fields = map.reduce<unknown>(at, value)
      return isFields(fields) && Object.hasOwn(fields, key.old) ? [{ map, fields, key }] : []
    })
}

function problemOf({ fields, map, key }: Found, running: string): string | null {
  const current = formatPath([...map, key.current])
  if (!isAccepted(key, running))
    return `unknown key ${JSON.stringify(key.old)}; it is called ${current} since ${key.since}`
  if (Object.hasOwn(fields, key.current)) return `the old name of ${current}, which is set too; remove one of them`
  return null
}

function warningOf({ map, key }: Found): string {
  return `renamed to ${formatPath([...map, key.current])}: use the new name, because version ${refusedFrom(key)} no longer accepts the old one`
}

/** Keeps the order of the keys. */
function withNewName(fields: Fields, key: RenamedKey, running: string): Fields {
  const isTaken = isAccepted(key, running) && !Object.hasOwn(fields, key.current)
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]): [string, unknown][] => {
      if (name !== key.old) return [[name, field]]
      return isTaken ? [[key.current, field]] : []
    }),
  )
}

function sourceOf(source: Source, applied: readonly Found[]): Source {
  if (applied.length === 0) return source
  const byMap = new Map(applied.map(({ map, key }) => [formatPath([...map, key.current]), key.old]))
  const asWritten = (path: Path): Path => path.map((step, i) => byMap.get(formatPath(path.slice(0, i + 1))) ?? step)
  return {
    file: source.file,
    locate: (path) => source.locate(asWritten(path)),
    locateKey: (path) => source.locateKey(asWritten(path)),
    written: (path) => source.written(asWritten(path)),
    asWritten,
  }
}
