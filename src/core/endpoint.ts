/** What the metrics call the path of a route: a path and all below it by that path, so "/a/*" is "/a", and "/*" is "/". */
export function endpointOf(pattern: string): string {
  return pattern.endsWith('/*') ? pattern.slice(0, -2) || '/' : pattern
}
