import assert from 'node:assert/strict'
import test from 'node:test'
import type { TunnelRelay } from '../../src/http/tunnel.ts'
import * as h2 from '../support/http2-frames.ts'
import type { RecordedHttp2 } from '../support/http2-harness.ts'
import { serverOptions } from '../support/server-harness.ts'
import type { RecordingSocket } from '../support/recording-socket.ts'
import { websocketsHarness } from '../support/websockets-harness.ts'

const { Code, Type } = h2

const PIECE = Buffer.alloc(60_000)

/** A client's request for a WebSocket. */
function connect(stream: number): Buffer {
  return h2.headers(stream, [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', 'http'],
    [':authority', 'a.example'],
    [':path', '/'],
    ['sec-websocket-version', '13'],
  ])
}

/** A server that connects each WebSocket to a socket of the test and replies to nothing else, and its client. */
async function open() {
  const tunnels: TunnelRelay[] = []
  const services: RecordingSocket[] = []
  const parts = await websocketsHarness((service, tunnel) => {
    services.push(service)
    tunnels.push(tunnel)
  })
  return { ...parts, tunnels, services }
}

for (const by of ['the client', 'the gateway'])
  test(`what was buffered for a WebSocket that ${by} resets makes room for others`, async () => {
    const { tunnels, services, client } = await open()
    const counts = new Set<number>()
    for (let n = 0; n < 40; n++) {
      const id = 2 * n + 1
      client.receive(connect(id), h2.windowUpdate(0, 65_535))
      await client.turn()
      const tunnel = tunnels[n]!
      const service = services[n]!
      let pieces = 0
      for (; service.reading && pieces < 100; pieces++) tunnel.fromService(PIECE)
      counts.add(pieces)
      if (by === 'the client') client.receive(h2.reset(id))
      else tunnel.destroy()
      await client.turn()
      assert.ok(service.destroyed)
    }
    assert.equal(counts.size, 1, `pieces that were taken before the service had to wait: ${[...counts].join()}`)
  })

test('a client that half-closes a WebSocket and then resets it is gone for the service', async () => {
  const { services, client } = await open()
  for (const frame of [connect(1), h2.data(1, '', true), h2.reset(1)]) {
    client.receive(frame)
    await client.turn()
  }
  assert.ok(services[0]!.destroyed)
})

test('what a service sent before it closed a WebSocket reaches a client that is slow to take it', async () => {
  const { harness, tunnels, services, client } = await open()
  client.receive(connect(1), h2.windowUpdate(0, 1_000_000))
  await client.turn()
  for (let n = 0; n < 10; n++) tunnels[0]!.fromService(PIECE)
  tunnels[0]!.serviceEnded()
  services[0]!.destroy()
  tunnels[0]!.close()
  for (let bytes = 65_535; bytes < 600_000; bytes += 30_000) {
    harness.clock.advance(20_000)
    await client.turn()
    assert.equal(client.resetOf(1), undefined)
    client.receive(h2.windowUpdate(1, 30_000))
    await client.turn()
  }
  assert.equal(client.contentOf(1), 600_000)
  assert.equal(client.of(Type.data, 1).at(-1)?.flags, h2.END_STREAM)
  assert.equal(client.resetOf(1), Code.none)
})

test('a client that takes nothing of it is reset', async () => {
  const { harness, tunnels, services, client } = await open()
  client.receive(connect(1))
  await client.turn()
  for (let n = 0; n < 10; n++) tunnels[0]!.fromService(PIECE)
  services[0]!.destroy()
  tunnels[0]!.close()
  for (let second = 0; second < 70; second++) harness.clock.advance(1_000)
  await client.turn()
  assert.equal(client.resetOf(1), Code.cancel)
  assert.equal(client.of(Type.goaway).length, 0)
})

test('a client that reads nothing from its WebSocket is reset after writeTimeout, which its exchange says', async () => {
  const { harness, tunnels, services, client } = await open()
  client.receive(connect(1))
  await client.turn()
  for (let n = 0; n < 100 && services[0]!.reading; n++) tunnels[0]!.fromService(PIECE)
  assert.equal(services[0]!.reading, false)
  for (let ms = 0; ms <= serverOptions.writeTimeout; ms += 1000) harness.clock.advance(1000)
  await client.turn()
  assert.equal(client.resetOf(1), Code.cancel)
  assert.deepEqual(harness.slowClients.length, 1)
  assert.equal(harness.exchanges[0]!.error?.code, 'request-timeout')
})

test('when its connection is cut off, a WebSocket gets a Close frame, and what else is in progress is reset', async () => {
  const { harness, client } = await open()
  const get = [':method', ':scheme', ':authority', ':path'].map(
    (name, i) => [name, ['GET', 'http', 'a', '/'][i]!] as const,
  )
  client.receive(connect(1), h2.headers(3, get, true))
  await client.turn()
  client.connection.drain()
  client.connection.cutOff()
  await client.turn()
  assert.deepEqual([...client.of(Type.data, 1)[0]!.payload], [0x88, 2, 0x03, 0xe9])
  assert.deepEqual([client.resetOf(1), client.resetOf(3)], [undefined, Code.cancel])
  for (let seconds = 0; seconds < 5; seconds++) {
    harness.clock.advance(1000)
    await client.turn()
  }
  assert.deepEqual([client.socket.hasEnded, client.connection.inFlight], [true, 0])
})

for (const [what, act] of [
  ['keeps sending', (client: RecordedHttp2) => client.receive(h2.ping())],
  ['takes nothing', (client: RecordedHttp2) => void (client.socket.taking = false)],
] as const)
  test(`when it is cut off, a connection with a WebSocket ends soon, even if its client ${what}`, async () => {
    const { harness, client } = await open()
    client.receive(connect(1))
    await client.turn()
    act(client)
    client.connection.drain()
    client.connection.cutOff()
    for (let seconds = 0; seconds < 2; seconds++) {
      await client.turn()
      act(client)
      harness.clock.advance(1000)
    }
    assert.ok(client.socket.destroyed)
    assert.deepEqual(client.connection.inFlight, 0)
  })
