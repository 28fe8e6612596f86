import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { documentOf } from '../../test/support/openapi.ts'
import { parseConfig } from '../config/parse.ts'
import { Bytes } from '../http/body.ts'
import { Headers } from '../http/headers.ts'
import type { ServiceReply } from '../http/service-request.ts'
import type { Policy } from '../policies/policy.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ApiDocs } from './api-docs.ts'

const ROUTES = 100

/** Each look at it takes a millisecond. */
class SlowClock extends ManualClock {
  override now(): number {
    this.advance(1)
    return super.now()
  }
}

/** The documentation of many routes to a service, whose own document the test decides, and of one for that document. */
function setUp() {
  let calls = 0
  const counted: Policy<z.ZodObject> = {
    name: 'counted',
    summary: 'Counts what it is asked.',
    options: z.strictObject({}),
    create: () => (next) => next,
    document() {
      calls++
      return {}
    },
  }
  const paths = Array.from({ length: ROUTES }, (_, i) => `/a${i}`)
  const value = {
    services: { one: { instances: ['http://127.0.0.1:1'] }, other: { instances: ['http://127.0.0.1:2'] } },
    policies: { counted: {} },
    routes: [
      { id: 'many', match: { path: paths }, service: 'one' },
      { id: 'other', match: { path: '/other/*' }, service: 'other' },
    ],
  }
  const clock = new SlowClock()
  const answer = Promise.withResolvers<ServiceReply>()
  const docs = new ApiDocs({
    config: parseConfig(value, { value, chain: [counted], findings: [] }),
    policies: [counted],
    own: [],
    callService: (service) => (service === 'other' ? answer.promise : Promise.reject(new Error('it has none'))),
    clock,
    log: createMemoryLogger('info', clock).log,
    documentsLog: createMemoryLogger('info', clock).log,
  })
  const [{ handler }] = docs.document() as [ReturnType<ApiDocs['document']>[number]]
  const ask = async (): Promise<Bytes> => {
    const { body } = await handler(makeExchange())
    assert.ok(body instanceof Bytes)
    return body
  }
  return { docs, ask, calls: () => calls, answer: (reply: ServiceReply) => answer.resolve(reply) }
}

test('a large document is written in slices of a few operations, with other work in between', async () => {
  const { ask, calls } = setUp()
  let [written, most, before, turns] = [false, 0, 0, 0]
  setImmediate(function turn() {
    turns++
    most = Math.max(most, calls() - before)
    before = calls()
    if (!written) setImmediate(turn)
  })
  const { paths } = documentOf((await ask()).toText())
  written = true
  assert.equal(Object.keys(paths).length, ROUTES + 1)
  assert.ok(most <= 5, `${most} operations in one turn`)
  assert.ok(turns >= calls() / 5, `${turns} turns`)
})

test('simultaneous requests share one document, which is then cached', async () => {
  const { ask, calls } = setUp()
  const all = await Promise.all([ask(), ask(), ask()])
  const once = calls()
  assert.equal(new Set(all).size, 1)
  assert.equal(await ask(), all[0])
  assert.equal(calls(), once)
})

test('a service document that arrives during writing is included in the next document', async () => {
  const { docs, ask, answer } = setUp()
  docs.start()
  const first = ask()
  const document = { openapi: '3.1.0', info: { title: 'Other' }, paths: { '/other/told': { get: { responses: {} } } } }
  answer({ status: 200, headers: Headers.of(), body: Bytes.fromText(JSON.stringify(document)) })
  const earlier = documentOf((await first).toText())
  assert.equal(earlier.paths['/other/told'], undefined)
  const later = documentOf((await ask()).toText())
  assert.deepEqual(Object.keys(later.paths['/other/told'] ?? {}), ['get'])
  docs.stop()
})
