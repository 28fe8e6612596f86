import { join } from 'node:path'
import { z } from 'zod'
import { namedFailures, type Load, type Target } from './load.ts'

const client = join(import.meta.dirname, 'handshake-client.ts')

/** The output of the client, on one line: latencies in microseconds, from connecting to the end of the reply. */
const figures = z.strictObject({
  requests: z.number(),
  seconds: z.number(),
  p50: z.number(),
  p99: z.number(),
  errors: z.number(),
  status: z.number(),
  unexpected: z.number(),
})

/** TLS 1.3 handshakes, each for one small reply, that many at a time: either all resumed by ticket, or none. */
export function handshakes({ origin, seconds }: Target, connections: number, resumed: boolean): Load {
  return {
    command: {
      command: process.execPath,
      args: [client, origin, String(connections), String(seconds), resumed ? 'resumed' : 'full'],
    },
    read(output) {
      const { requests, seconds: took, p50, p99, errors, status, unexpected } = figures.parse(JSON.parse(output))
      const failures = namedFailures({
        'connections that failed': errors,
        'replies other than 200': status,
        [`handshakes that were not ${resumed ? 'resumed' : 'full'}`]: unexpected,
      })
      return { requests, seconds: took, p50, p99, failures }
    },
  }
}
