import { hash } from 'node:crypto'
import type { App } from './zod.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Cache-Control of the reply, which then also has an ETag; no-store when it is missing. */
    cache?: string
  }
}

/** Sends Cache-Control, and where a reply may be cached its ETag, or 304 to a client that holds it (RFC 9110 section 13.1.2). */
export function sendCacheHeaders(app: App): void {
  app.addHook('onSend', async ({ routeOptions, headers }, reply, payload) => {
    const { cache } = routeOptions.config
    if (cache === undefined || reply.statusCode !== 200 || typeof payload !== 'string') {
      void reply.header('Cache-Control', 'no-store')
      return payload
    }
    const tag = `"${hash('sha256', payload, 'base64url').slice(0, 22)}"`
    void reply.headers({ 'Cache-Control': cache, ETag: tag })
    const held = headers['if-none-match']?.split(',').map((each) => each.trim().replace(/^W\//, ''))
    if (held?.some((each) => each === '*' || each === tag) !== true) return payload
    void reply.code(304)
    return null
  })
}
