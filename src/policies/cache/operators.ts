import { z } from 'zod'
import { defineOperation, replicasShape, replicasOf } from '../../core/operation.ts'
import { newUuid } from '../../core/uuid.ts'
import { defineOperatorEndpoint, type OperationTools } from '../operator-endpoint.ts'
import { purgedTopic, purgeTopic } from './purge.ts'

const urlExpected = 'expected a URL such as "http://api.example.com/products"'
const url = z.string(urlExpected).refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), urlExpected)

const hostExpected = 'expected a host such as "api.example.com"'

const what = z.union([
  z.strictObject({ url: url.describe('One URL, query included.') }),
  z.strictObject({ prefix: url.describe('All URLs that begin with this.') }),
  z.strictObject({
    host: z
      .string(hostExpected)
      .regex(/^[^/\s]+$/, hostExpected)
      .describe('Host and port as clients name them.'),
    group: z.string().min(1).describe('A cache group that services put replies in (RFC 9875).'),
  }),
])

const purged = z.strictObject({ purged: z.int().min(0).describe('Number of stored replies that were purged.') })

/** Has gateways drop stored replies. */
export const purging = defineOperation({ name: 'purge-cache', arguments: what, result: purged })

/** Does this in all workers of this gateway. */
export async function purgeHere(
  purge: z.output<typeof what>,
  { threads, log }: OperationTools,
): Promise<z.output<typeof purged>> {
  const counts = await threads.askAll(purgeTopic, purge)
  const sum = counts.reduce((all, count) => all + count, 0)
  log.warn({ ...purge, purged: sum }, 'An operator has purged the cache')
  return { purged: sum }
}

/** POST /cache/purge: has all workers of all gateways drop stored replies. */
export const purgeCache = defineOperatorEndpoint({
  method: 'POST',
  role: 'operator',
  path: '/cache/purge',
  summary: 'Purge stored replies',
  description: 'The scheme of a URL does not matter.',
  tag: 'cache',
  body: what,
  status: 200,
  schema: purged.extend(replicasShape),
  async answer({ body }, { everywhere, threads }) {
    const done = await everywhere(purging, body)
    // Only by this gateway: copies elsewhere, as in a CDN, are common to all gateways.
    await threads.askAll(purgedTopic, { id: newUuid(), purge: body })
    return { purged: done.results.reduce((all, each) => all + each.purged, 0), ...replicasOf(done) }
  },
})
