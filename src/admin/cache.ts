import { z } from 'zod'
import { purgeTopic } from '../policies/cache/purge.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

const urlExpected = 'expected a URL such as "http://api.example.com/products"'
const url = z.string(urlExpected).refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), urlExpected)

const what = z.union([
  z.strictObject({ url: url.describe('One URL, query included.') }),
  z.strictObject({ prefix: url.describe('All URLs that begin so.') }),
  z.strictObject({
    host: z.string().min(1).describe('Host and port as clients name them.'),
    group: z.string().min(1).describe('A cache group that services put replies in (RFC 9875).'),
  }),
])

/** POST /cache/purge: has every worker forget stored replies. */
export function cacheEndpoints(app: AdminApp, { threads, log }: AdminContext): void {
  app.post(
    '/cache/purge',
    {
      schema: {
        summary: 'Forget stored replies',
        description: 'The scheme of a URL makes no difference.',
        tags: ['cache'],
        body: what,
        response: { 200: z.object({ purged: z.int().describe('Stored replies that are gone.') }) },
      },
    },
    async ({ body }) => {
      const counts = await threads.askAll(purgeTopic, body)
      const purged = counts.reduce((sum, count) => sum + count, 0)
      log.warn({ ...body, purged }, 'An operator has purged the cache')
      return { purged }
    },
  )
}
