import { fileURLToPath } from 'node:url'

/** A path or file URL in a stack trace, perhaps with the query that `freshUrl` appends, and its line and column. */
const PLACE = /(file:\/\/)?(\/[^\s()?]+?)(?:\?[^\s()]*?)?:(\d+)(?::(\d+))?(?=[\s)]|$)/g

/** Where in the given files an error occurred, as `file:line` or `file:line:column`; null if its stack trace does not say. */
export function placeInCode(error: unknown, files: readonly string[]): string | null {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const [, scheme, path = '', line, column] of stack.matchAll(PLACE)) {
    const file = scheme === undefined ? path : fileURLToPath(scheme + path)
    if (files.includes(file)) return [file, line, column].filter((part) => part !== undefined).join(':')
  }
  return null
}
