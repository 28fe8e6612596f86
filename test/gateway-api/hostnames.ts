/**
 * The hosts that a route takes at a listener: those of both, the more specific one of each pair; null for every host, and none where
 * they have none in common.
 */
export function commonHosts(
  route: readonly string[] | undefined,
  listener: string | undefined,
): readonly string[] | null {
  if (route === undefined || route.length === 0) return listener === undefined ? null : [listener]
  if (listener === undefined) return route
  return route.flatMap((host) => {
    if (host === listener || isBelow(host, listener)) return [host]
    return isBelow(listener, host) ? [listener] : []
  })
}

/** Whether every name that `host` stands for is one that the wildcard stands for. */
function isBelow(host: string, wildcard: string): boolean {
  return wildcard.startsWith('*.') && host.replace(/^\*/, 'x').endsWith(wildcard.slice(1))
}
