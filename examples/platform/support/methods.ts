import type { App } from './zod.ts'
import { Problem } from './problem.ts'

/**
 * Has other methods on the paths of routes answered with 405, and with what is possible there (RFC 9110 section 15.5.6).
 * Call it before there are routes, and what it returns when all of them are there.
 */
export function watchMethods(app: App): () => void {
  const known = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    known.set(url, [...(known.get(url) ?? []), method].flat())
  })
  return () => {
    for (const [url, allowed] of known) {
      const others = app.supportedMethods.filter((each) => !allowed.includes(each))
      app.route({
        method: others,
        url,
        exposeHeadRoute: false,
        config: { access: 'public' },
        schema: { hide: true },
        onRequest({ method }) {
          throw new Problem(405, `${method} is not possible here.`, { headers: { Allow: allowed.join(', ') } })
        },
        handler: () => undefined,
      })
    }
  }
}
