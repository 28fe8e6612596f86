import assert from 'node:assert/strict'
import test from 'node:test'
import {
  Bytes,
  createGateway,
  definePolicy,
  type Exchange,
  GatewayError,
  Headers,
  Reply,
  z,
} from '../../src/gateway.ts'
import { cleanUp } from '../support/cleanup.ts'
import { TestLog } from '../support/gateway.ts'
import { systemClock } from '../../src/core/clock.ts'
import { connect } from '../support/peer.ts'
import { startRecorder } from './recorder.ts'
import { forwarded, request } from './request-case.ts'

const SPLIT = 'a\r\nX-Evil: 1'

/** Ways in which a policy might put a client's text into a head. */
const acts: Record<string, (exchange: Exchange) => Reply | null> = {
  'a request field': ({ headers }) => (headers.set('X-A', SPLIT), null),
  'a name of a request field': ({ headers }) => (headers.append('X-A: 1\r\nX-Evil', '1'), null),
  'a second length of a request': ({ headers }) => (headers.append('Content-Length', '5'), null),
  'a second framing of a request': ({ headers }) => (headers.append('Transfer-Encoding', 'chunked'), null),
  'a second Host': ({ headers }) => (headers.append('Host', 'evil.example'), null),
  'the path': (exchange) => ((exchange.path = `/ HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /`), null),
  'the query': (exchange) => ((exchange.query = '? HTTP/1.1\r\nX-Evil: 1'), null),
  'a reply field': () => new Reply(200, Headers.of([['X-A', SPLIT]]), null),
  'a length of a reply': () => new Reply(200, Headers.of([['Content-Length', '0']]), Bytes.fromText('abc')),
  'an interim response that is none': (exchange) => (exchange.sendInterim(200, Headers.of()), null),
  'a field of an error': () => {
    throw new GatewayError('forbidden', 'No.', { headers: [['X-A', SPLIT]] })
  },
  'a status': () => Reply.json(1000, {}),
}

const chaos = definePolicy({
  name: 'chaos',
  summary: 'Lets through what it should not.',
  options: z.strictObject({}),
  create: () => (next) => (exchange) => acts[decodeURIComponent(exchange.path.slice(1))]?.(exchange) ?? next(exchange),
})

test('a custom policy cannot split a message: it fails, and its name is logged with the reason', async (t) => {
  const recorder = await startRecorder(t)
  const log = new TestLog(systemClock)
  const gateway = await createGateway(
    {
      listeners: [{ address: '127.0.0.1:0' }],
      admin: false,
      endpoints: { metrics: false, docs: false, openapi: false },
      services: { backend: { instances: [recorder.url], health: false } },
      ownPolicies: [chaos],
      policies: { chaos: {} },
      routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
    },
    { output: log },
  )
  cleanUp(t, () => gateway.close())
  await gateway.ready
  const { port } = gateway.addresses[0]!
  for (const what of Object.keys(acts))
    await t.test(what, async (inner) => {
      recorder.reset()
      const logged = log.lines.length
      const client = await connect(inner, port)
      client.write(request(`GET /${encodeURIComponent(what)}`))
      const answer = await client.reply()
      assert.match(answer.start, /^HTTP\/1\.1 500 /)
      assert.ok(!answer.fields.names.includes('x-evil'))
      const line = await log.line({ message: 'Request failed in the gateway' }, logged)
      assert.match(JSON.stringify(line['error']), /policy \\"chaos\\" failed/)
      // The connections on both sides are still usable.
      client.write(request('GET /ok'))
      assert.match((await client.reply()).start, /^HTTP\/1\.1 200 /)
      assert.equal(recorder.bytes, forwarded('GET /ok'))
    })
})
