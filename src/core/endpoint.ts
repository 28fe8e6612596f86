/**
 * The label value for a route path in metrics. A path that includes everything below it is labeled with its base: "/a/*" becomes "/a", and
 * "/*" becomes "/".
 */
export function endpointOf(pattern: string): string {
  return pattern.endsWith('/*') ? pattern.slice(0, -2) || '/' : pattern
}
