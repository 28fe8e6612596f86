/** WebSockets and other exchanges on one connection, whatever happens to them and in whatever order. */
import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../support/cases.ts'
import * as h2 from '../support/http2-frames.ts'
import type { RecordingSocket } from '../support/recording-socket.ts'
import { websocketsHarness } from '../support/websockets-harness.ts'

const GET = h2.request('GET', '/')
const WEBSOCKET = h2.request('CONNECT', '/', [[':protocol', 'websocket']])

/** A client over HTTP/2 whose WebSockets lead to sockets of the test. Other requests are never answered. */
async function open() {
  const services: RecordingSocket[] = []
  const parts = await websocketsHarness((service, tunnel) => {
    service.on('data', (bytes: Buffer) => tunnel.fromService(bytes))
    service.on('end', () => tunnel.serviceEnded())
    service.on('drain', () => tunnel.serviceDrained())
    service.on('close', () => tunnel.close())
    services.push(service)
  })
  return { ...parts, services }
}

interface Event {
  readonly stream: number
  readonly service: RecordingSocket | undefined
  readonly size: number
}

/** What can happen to a stream, its service or the connection. */
const happenings: Readonly<Record<string, (opened: Awaited<ReturnType<typeof open>>, event: Event) => unknown>> = {
  clientSends: ({ client }, { stream, size }) => client.receive(h2.data(stream, 'x'.repeat(size))),
  clientEnds: ({ client }, { stream }) => client.receive(h2.data(stream, '', true)),
  clientResets: ({ client }, { stream }) => client.receive(h2.reset(stream)),
  clientAllows: ({ client }, { stream, size }) =>
    client.receive(h2.windowUpdate(stream, size), h2.windowUpdate(0, size)),
  clientStopsTaking: ({ client }) => (client.socket.taking = false),
  clientTakes: ({ client }) => client.socket.drain(),
  serviceSends: (_, { service, size }) => service?.reading === true && service.emit('data', Buffer.alloc(size, 'x')),
  serviceEnds: (_, { service }) => service?.emit('end'),
  serviceCloses: (_, { service }) => service?.destroy(),
  serviceStopsTaking: (_, { service }) => service !== undefined && (service.taking = false),
  serviceTakes: (_, { service }) => service?.drain(),
  timePasses: ({ harness }) => harness.clock.advance(3000),
  routesEnd: ({ client }) => client.connection.running.forEach((running) => running.end()),
}

const event = fc.record({
  what: fc.constantFrom(...Object.keys(happenings)),
  to: fc.nat(3),
  size: fc.integer({ min: 1, max: 16_000 }),
})

test('property: WebSockets and what else is in progress on a connection end exactly once, and when they are cut off, soon', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 40 }),
      fc.constantFrom('cutOff', 'preempt', 'close'),
      async (script, ending) => {
        const opened = await open()
        const { harness, services, client } = opened
        // The last one is no WebSocket.
        const streams = [1, 3, 5, 7]
        client.receive(...streams.map((stream) => h2.headers(stream, stream < 7 ? WEBSOCKET : GET, stream === 7)))
        await client.turn()
        for (const { what, to, size } of script) {
          happenings[what]?.(opened, { stream: streams[to]!, service: services[to], size })
          await client.turn()
        }
        if (ending === 'close') client.socket.destroy()
        else client.connection[ending]()
        await client.turn()
        for (let seconds = 0; seconds < 60; seconds++) harness.clock.advance(1000)
        await client.turn()
        assert.equal(client.connection.inFlight, 0)
        assert.ok(client.socket.hasEnded || client.socket.destroyed)
        client.socket.destroy()
        await client.turn()
        // A service may take the last data slowly.
        for (let seconds = 0; seconds < 60; seconds++) harness.clock.advance(1000)
        await client.turn()
        assert.equal(harness.over.length, streams.length)
        assert.equal(new Set(harness.over.map(({ exchange }) => exchange)).size, streams.length)
        assert.ok(services.every(({ destroyed }) => destroyed))
        assert.equal(harness.deadlines.size, 0)
      },
    ),
    { numRuns: cases(100) },
  )
})
