import { z } from 'zod'
import { GatewayError } from '../../core/errors.ts'
import { recentRequestsTopic } from '../../telemetry/recent-requests.ts'
import type { AdminApp } from '../app.ts'
import type { AdminContext } from '../context.ts'
import { describeRequest, requestFilter, toFilter } from '../requests.ts'
import { EventStream } from './event-stream.ts'
import { Windows } from './windows.ts'

/** Maximum number of concurrent streams: each takes a connection of the admin listener. */
const STREAMS = 24
/** Maximum number of requests per thread and second that are reported. */
const SAMPLE = 50

const eventsQuery = requestFilter.extend({
  requests: z.stringbool().default(false).describe('Also send the requests that match the filter, as they end.'),
})

/** GET /events: live statistics, second by second. They cost nothing while no client is connected. */
export function eventEndpoints(app: AdminApp, context: AdminContext): void {
  const { threads, clock, board, reloads, follow, log } = context
  const windows = new Windows(follow, clock, () => ({ generation: reloads.applied.generation, health: board.version }))
  const streams = new Set<EventStream>()
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end()
  })

  app.get(
    '/events',
    {
      exposeHeadRoute: false,
      config: { isUnlinked: true },
      schema: {
        summary: 'Live statistics, second by second, as an event stream',
        description:
          'text/event-stream. `hello` comes first, with the upper bounds of the buckets in seconds and the last minute. Then each second ' +
          '`window`: requests by route and by instance, each as a list of how many there were, how many with 4xx, with 5xx, the seconds they ' +
          'took, and one number per bucket up to the last non-empty one; requests by listener; and counters that increased. The last minute ' +
          'in `hello` is in columns: instead of each number there is the list of that number in each second, without the zeros before and ' +
          'after, but with the number of zeros before in front. Its lists have no seconds, and begin with the requests that are in no bucket. ' +
          `With \`requests\`, also the requests that ended since, at most ${SAMPLE} from each worker.`,
        tags: ['requests'],
        produces: ['text/event-stream'],
        querystring: eventsQuery,
        response: { 200: z.string() },
      },
    },
    (request, reply) => {
      if (streams.size >= STREAMS)
        throw new GatewayError('too-busy', 'Too many event streams are open: close a console, or try again later.')
      const { requests, ...filter } = request.query
      const { operator: caller } = request
      void reply.hijack()
      const stream = new EventStream(reply.raw, reply.getHeaders())
      streams.add(stream)
      stream.send('hello', windows.recent)
      let after = clock.now()
      let asking = false
      const send = (window: string): void => {
        // The stream ends once its user is logged out or no longer exists.
        if (caller?.isValid() !== true) return stream.end()
        stream.send('window', window)
        if (requests && !asking) void tellRequests()
      }
      const tellRequests = async (): Promise<void> => {
        asking = true
        const [from, until] = [after, clock.now()]
        after = until
        const lists = await threads.askAll(recentRequestsTopic, { ...toFilter(filter), after: from, limit: SAMPLE })
        asking = false
        // Requests that ended later are reported next time.
        const ended = lists.flat().filter(({ end }) => end <= until)
        const more = lists.some(({ length }) => length === SAMPLE)
        if (ended.length > 0)
          stream.send(
            'requests',
            JSON.stringify({ requests: ended.toSorted((a, b) => b.end - a.end).map(describeRequest), more }),
          )
      }
      const unwatch = windows.watch(send)
      stream.closed(() => {
        unwatch()
        streams.delete(stream)
      })
      log.debug({ streams: streams.size }, 'An operator has opened the event stream')
    },
  )
}
