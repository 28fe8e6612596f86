import type { Path } from './problems.ts'

/** A renamed key. */
export interface RenamedKey {
  /** The map that contains the key; `*` matches any name or index. An entry for policies also applies to those of a route. */
  readonly map: Path
  readonly old: string
  readonly current: string
  /** The first version with the new name. The old name works, with a warning, until the next minor version. */
  readonly since: string
}

/** All renamed keys, the latest last. Entries are never removed, so that an old name is never reported as just unknown. */
export const renamedKeys: readonly RenamedKey[] = [
  { map: ['limits'], old: 'leastRate', current: 'minRate', since: '0.1.0' },
  { map: ['services', '*', 'discover', 'dns'], old: 'least', current: 'minInterval', since: '0.1.0' },
  { map: ['services', '*', 'discover', 'dns'], old: 'most', current: 'maxInterval', since: '0.1.0' },
  { map: ['policies', 'cors'], old: 'exposed', current: 'exposedHeaders', since: '0.1.0' },
  { map: [], old: 'policyFiles', current: 'ownPolicies', since: '0.1.0' },
]

/** The first version that refuses the old name. */
export function refusedFrom({ since }: RenamedKey): string {
  const [major = 0, minor = 0] = numbersOf(since)
  return `${major}.${minor + 1}.0`
}

/** Whether a version still takes the old name. */
export function isAccepted(key: RenamedKey, version: string): boolean {
  const [major = 0, minor = 0] = numbersOf(version)
  const [lastMajor = 0, lastMinor = 0] = numbersOf(refusedFrom(key))
  return major < lastMajor || (major === lastMajor && minor < lastMinor)
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number)
}
