import type { Fields } from '../core/value.ts'

const ENDPOINTS = [
  ['health', '/health'],
  ['metrics', '/metrics'],
  ['docs', '/docs'],
  ['openapi', '/openapi.json'],
] as const

/**
 * The `endpoints` setting that moves those of the gateway's own endpoints whose paths some of the patterns use; empty if there are none.
 */
export function endpointsFor(patterns: readonly string[]): Fields {
  const shadowed = ENDPOINTS.filter(([, root]) =>
    patterns.some((pattern) => pattern === root || pattern.startsWith(`${root}/`)),
  )
  return shadowed.length === 0
    ? {}
    : { endpoints: Object.fromEntries(shadowed.map(([name, root]) => [name, `/_gateway${root}`])) }
}

/** The notes on endpoints that were moved. */
export function endpointNotes(endpoints: Fields): string[] {
  const moved = Object.entries(endpoints).map(([name, path]) => `${name} to ${String(path)}`)
  return moved.length === 0
    ? []
    : [`Some routes use the paths of the gateway's own endpoints, which were moved: ${moved.join(', ')}.`]
}
