import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

const HOUR = 3_600_000
const post = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

/** A gateway with a streaming route and a regular one, to a service that echoes. */
async function setUp(t: TestContext) {
  const clock = new ManualClock()
  const service = await startService(t, (incoming, reply) => void incoming.pipe(reply))
  const { port } = await startGateway(
    t,
    {
      limits: { body: '16kb', bodyTimeout: '5s' },
      services: { backend: { instances: [service.url], health: false } },
      routes: [
        { id: 'streams', match: { path: '/streams' }, service: 'backend', streaming: true },
        { id: 'bodies', match: { path: '/bodies' }, service: 'backend' },
        {
          id: 'bounded',
          match: { path: '/bounded' },
          service: 'backend',
          streaming: true,
          timeouts: { idle: '30s' },
        },
      ],
    },
    { clock },
  )
  return { clock, port }
}

test('on a streaming route a request is forwarded at once, and both bodies may pause', async (t) => {
  const { clock, port } = await setUp(t)
  const client = await connect(t, port)
  client.write(post('/streams') + chunk('one'))
  await client.until('one')
  assert.equal(clock.now(), 0)
  clock.advance(HOUR)
  client.write(`${chunk('two')}0\r\n\r\n`)
  await client.until('two')
  await client.until('0\r\n\r\n')
})

test('streaming bodies have no size limit, and others keep theirs', async (t) => {
  const { port } = await setUp(t)
  const large = chunk('x'.repeat(10_000)).repeat(4)
  const stream = await connect(t, port)
  stream.write(`${post('/streams')}${large}0\r\n\r\n`)
  await stream.until('200')
  await stream.until('\r\n0\r\n\r\n')
  const body = await connect(t, port)
  body.write(`${post('/bodies')}${large}0\r\n\r\n`)
  await body.until('413')
})

test('timeouts set on the route apply', async (t) => {
  const { clock, port } = await setUp(t)
  const client = await connect(t, port)
  client.write(post('/bounded') + chunk('one'))
  await client.until('one')
  clock.advance(31_000)
  assert.equal(await client.closed(), 'reset')
})
