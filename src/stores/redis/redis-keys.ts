import type { Limit } from '../../core/limits.ts'

const ENDINGS = { 'fixed-window': '', 'sliding-window': ':sliding', 'token-bucket': ':tokens' } as const

/**
 * Keys of a client under a limit, one for each quota: "rate_limit:42:authenticated". With several quotas the client's
 * name stands in braces and the window, in seconds, behind: "rate_limit:{42}:authenticated:60", so that a Cluster keeps
 * all keys of one decision in one slot. Other algorithms than fixed-window add ":sliding" or ":tokens".
 */
export function createKeys({ name, algorithm, quotas }: Limit): (client: string) => string[] {
  const ending = ENDINGS[algorithm]
  if (quotas.length === 1) return (client) => [`rate_limit:${client}:${name}${ending}`]
  const endings = quotas.map(({ window }) => `}:${name}:${window / 1000}${ending}`)
  return (client) => endings.map((tail) => `rate_limit:{${client}${tail}`)
}

/** A key that is kept on the same node of a Cluster as the given one, begins as it does, and is nobody's. */
export function besideKey(key: string): string {
  const tagged = /^[^{]*\{[^}]+\}/.exec(key)?.[0]
  return tagged === undefined ? `${key}:probe:{${key}}` : `${tagged}:probe:`
}
