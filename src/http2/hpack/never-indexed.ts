/** Names that are remembered, and how long each may be: once there is one more, all fields count. */
const MOST = 1024
const LONGEST = 256

/** Credentials, however they came to the gateway (RFC 7541 section 7.1.3). */
const names = new Set(['authorization', 'proxy-authorization'])
let all = false
const listeners: (() => void)[] = []

/**
 * A field of that name, in lower case, came as a literal never to be indexed: whoever passes it on has to write it so too (RFC 7541
 * section 6.2.3). How a field was written is not kept beside it: from then on this thread writes all fields of that name so.
 */
export function neverIndex(name: string): void {
  if (all || names.has(name)) return
  all = names.size >= MOST || name.length > LONGEST
  if (!all) names.add(name)
  for (const listener of listeners) listener()
}

/** Whether fields of that name, in lower case, are written as never to be indexed. */
export function isNeverIndexed(name: string): boolean {
  return all || names.has(name)
}

/** Has `listener` called each time that there are other such names. */
export function atNeverIndexed(listener: () => void): void {
  listeners.push(listener)
}
