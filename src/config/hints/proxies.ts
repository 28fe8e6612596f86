import type { Hint, HintRule } from './hint.ts'

/** Settings for trusted proxies although no proxy is trusted. */
export const proxyHints: HintRule = ({ trustedProxies, clientHeader, proxyFields, forwarding }) => {
  if (trustedProxies.length > 0) return []
  const keys = [
    clientHeader === null ? [] : ['clientHeader'],
    proxyFields.length === 0 ? [] : ['proxyFields'],
    forwarding === 'x-forwarded' ? [] : ['forwarding'],
  ].flat()
  return keys.map((key): Hint => ({
    path: [key],
    message: 'has no effect: no proxy is trusted. List the proxies under trustedProxies, or remove it.',
  }))
}
