import type { Limit } from '../meter.ts'

const ENDINGS = { 'fixed-window': '', 'sliding-window': ':sliding', 'token-bucket': ':tokens' } as const

/**
 * Keys of a client under a limit, one for each quota: "rate_limit:42:authenticated". With several quotas the client's name is in
 * braces and the window, in seconds, is appended: "rate_limit:{42}:authenticated:60", so that a Cluster keeps all keys of one
 * decision in one slot. Algorithms other than fixed-window append ":sliding" or ":tokens".
 */
export function createKeys({ name, algorithm, quotas }: Limit): (client: string) => string[] {
  const ending = ENDINGS[algorithm]
  if (quotas.length === 1) return (client) => [`rate_limit:${client}:${name}${ending}`]
  const endings = quotas.map(({ window }) => `}:${name}:${window / 1000}${ending}`)
  return (client) => endings.map((tail) => `rate_limit:{${client}${tail}`)
}
