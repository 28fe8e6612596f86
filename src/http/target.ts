/** What may stand in a request target (RFC 9112 section 3.2): visible ASCII without "#". */
const TARGET = /^[!"$-~]*$/

/**
 * Throws a TypeError for a path or a query that may not stand in a request line: policies may have changed them, and a
 * space or a line end in one would be taken for the end of the line.
 */
export function checkTarget(path: string, query: string): void {
  if (!path.startsWith('/') && path !== '*')
    throw new TypeError(`the path ${JSON.stringify(path)} does not begin with "/"`)
  if (query !== '' && !query.startsWith('?'))
    throw new TypeError(`the query ${JSON.stringify(query)} is neither empty nor begins with "?"`)
  if (!TARGET.test(path) || (query !== '' && !TARGET.test(query)))
    throw new TypeError(
      `${JSON.stringify(path + query)} cannot be asked for: percent-encode all but visible ASCII, and "#"`,
    )
}

/** Whether path and query are still the target that a client asked for; null: nobody did. */
export function isAsked(target: string | null, path: string, query: string): boolean {
  if (target === null) return false
  if (query === '') return path === target
  const long = path.length + query.length === target.length
  return long && query.startsWith('?') && target.startsWith(path) && target.endsWith(query)
}
