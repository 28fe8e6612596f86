/** The characters of a request target (RFC 9112 section 3.2): visible ASCII without "#". */
const TARGET = /^[!"$-~]*$/

/**
 * Throws a TypeError for a path or a query that is not valid in a request line: policies may have changed them, and a
 * space or a line end would be taken for the end of the target or the line.
 */
export function checkTarget(path: string, query: string): void {
  if (!path.startsWith('/') && path !== '*')
    throw new TypeError(`the path ${JSON.stringify(path)} does not begin with "/"`)
  if (query !== '' && !query.startsWith('?'))
    throw new TypeError(`the query ${JSON.stringify(query)} is neither empty nor begins with "?"`)
  if (!TARGET.test(path) || (query !== '' && !TARGET.test(query)))
    throw new TypeError(
      `${JSON.stringify(path + query)} is not a valid request target: percent-encode everything except visible ASCII, and "#"`,
    )
}

/**
 * Whether path and query are still the target that the client sent; false for null, a request of the gateway itself.
 */
export function isOriginalTarget(target: string | null, path: string, query: string): boolean {
  if (target === null) return false
  if (query === '') return path === target
  const long = path.length + query.length === target.length
  return long && query.startsWith('?') && target.startsWith(path) && target.endsWith(query)
}
