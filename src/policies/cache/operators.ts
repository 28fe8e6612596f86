import { z } from 'zod'
import { defineOperatorEndpoint } from '../operator-endpoint.ts'
import { purgeTopic } from './purge.ts'

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
export const purgeCache = defineOperatorEndpoint({
  method: 'POST',
  path: '/cache/purge',
  summary: 'Forget stored replies',
  description: 'The scheme of a URL makes no difference.',
  tag: 'cache',
  body: what,
  status: 200,
  schema: z.object({ purged: z.int().describe('Stored replies that are gone.') }),
  async answer({ body }, { threads, log }) {
    const counts = await threads.askAll(purgeTopic, body)
    const purged = counts.reduce((sum, count) => sum + count, 0)
    log.warn({ ...body, purged }, 'An operator has purged the cache')
    return { purged }
  },
})
