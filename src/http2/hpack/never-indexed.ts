/** Limits of the number and the length of the names: beyond them, all fields are treated as never indexed. */
const MAX = 1024
const MAX_LENGTH = 256

/** Credentials, however they were received (RFC 7541 section 7.1.3). */
const names = new Set(['authorization', 'proxy-authorization'])
let all = false
const listeners: (() => void)[] = []

/**
 * A field of that name, in lower case, was received as a literal never indexed, and has to be passed on like that (RFC
 * 7541 section 6.2.3). This is not stored per field: from then on this thread writes all fields of that name as never
 * indexed.
 */
export function neverIndex(name: string): void {
  if (all || names.has(name)) return
  all = names.size >= MAX || name.length > MAX_LENGTH
  if (!all) names.add(name)
  for (const listener of listeners) listener()
}

/** Whether fields of that name, in lower case, are written as never indexed. */
export function isNeverIndexed(name: string): boolean {
  return all || names.has(name)
}

/** Calls `listener` each time more names become never indexed. */
export function atNeverIndexed(listener: () => void): void {
  listeners.push(listener)
}
