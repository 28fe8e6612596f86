import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { parseConfig } from '../config/parse.ts'
import { Bytes } from '../http/body.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'
import { GatewayError } from '../core/errors.ts'
import { Headers } from '../http/headers.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { Places } from './places.ts'
import { ServiceDocuments } from './service-documents.ts'

const MINUTE = 60_000

const { routes } = parseConfig({
  services: { users: { instances: ['http://127.0.0.1:8001'] } },
  routes: [{ id: 'users', match: { path: '/users/*' }, service: 'users' }],
})

function documentOf(title: string): string {
  return JSON.stringify({ openapi: '3.1.0', info: { title }, paths: { '/users': { get: { responses: {} } } } })
}

function reply(status: number, text: string, etag?: string): ServiceReply {
  const headers = Headers.of(etag === undefined ? [] : [['ETag', etag]])
  return { status, headers, body: Bytes.fromText(text) }
}

/** Documents of a service whose answers the test decides, each to one look. */
function setUp(before: ServiceDocuments | null = null, path = '/docs/openapi.json', services = ['users']) {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('info', clock)
  const requests: ServiceRequest[] = []
  const answers: (ServiceReply | Error | Promise<ServiceReply>)[] = []
  let changes = 0
  const options = {
    paths: new Map(services.map((service) => [service, path])),
    refresh: MINUTE,
    places: new Places(routes, []),
    callService: async (_: string, request: ServiceRequest) => {
      requests.push(request)
      const answer = await answers.shift()
      if (answer instanceof Error) throw answer
      return answer!
    },
    clock,
    log,
    changed: () => changes++,
  }
  const documents = new ServiceDocuments(options, before)
  /** Lets the answer to a look come in. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  const look = async (answer: ServiceReply | Error): Promise<void> => {
    answers.push(answer)
    if (requests.length === 0) documents.start()
    else clock.advance(MINUTE)
    await settle()
  }
  return {
    documents,
    clock,
    asked: requests,
    answers,
    lines,
    look,
    settle,
    title: () => documents.apis.get('users')?.title,
    changes: () => changes,
  }
}

test('the document is fetched at once and after each interval, with a timeout and a size limit', async () => {
  const { look, asked, title, changes } = setUp()
  await look(reply(200, documentOf('one')))
  assert.equal(title(), 'one')
  const { method, target, timeout, limit, headers } = asked[0]!
  assert.deepEqual([method, target, timeout, limit], ['GET', '/docs/openapi.json', 5000, 4 * 1024 * 1024])
  assert.equal(headers.get('Accept'), 'application/json')
  await look(reply(200, documentOf('two')))
  assert.equal(title(), 'two')
  assert.equal(changes(), 2)
})

test('an unchanged document is not parsed again', async () => {
  const { look, asked, changes } = setUp()
  await look(reply(200, documentOf('one'), '"a"'))
  await look(reply(200, documentOf('one'), '"a"'))
  await look(reply(304, ''))
  assert.equal(changes(), 1)
  assert.deepEqual(
    asked.map(({ headers }) => headers.get('If-None-Match')),
    [undefined, '"a"', '"a"'],
  )
})

test('after a failure the last good document is kept, and the failure is logged once', async () => {
  const { look, title, lines, asked } = setUp()
  await look(reply(200, documentOf('good'), '"good"'))
  await look(new GatewayError('gateway-timeout'))
  await look(reply(500, ''))
  await look(reply(200, '{"openapi":', '"bad"'))
  await look(reply(200, '{"swagger":"2.0"}', '"bad"'))
  assert.equal(title(), 'good')
  assert.equal(asked.at(-1)!.headers.get('If-None-Match'), '"good"')
  assert.deepEqual(
    lines.map(({ message, service, error }) => [message, service, error]),
    [['The documentation of a service cannot be read', 'users', new GatewayError('gateway-timeout').message]],
  )
  await look(reply(304, ''))
  await look(new GatewayError('gateway-timeout'))
  assert.deepEqual(
    lines.slice(1).map(({ message }) => message),
    ['The documentation of a service can be read', 'The documentation of a service cannot be read'],
  )
})

test('an unreachable service is left to health checks, and later failures are logged', async () => {
  const { look, lines, title } = setUp()
  await look(new GatewayError('service-unavailable'))
  await look(reply(200, documentOf('one')))
  await look(new GatewayError('service-unavailable'))
  assert.deepEqual([title(), lines], ['one', []])
  await look(reply(500, ''))
  await look(new GatewayError('service-unavailable'))
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['The documentation of a service cannot be read'],
  )
})

test('a missing document is not a warning unless there was one before', async () => {
  const { look, lines } = setUp()
  await look(reply(404, ''))
  await look(reply(404, ''))
  await look(reply(200, documentOf('one')))
  await look(reply(404, ''))
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [
      ['info', 'A service has no documentation'],
      ['info', 'The documentation of a service can be read'],
      ['warn', 'The documentation of a service cannot be read'],
    ],
  )
})

test('a gRPC service counts as having no document', async () => {
  const calls = { ...reply(200, ''), headers: Headers.of([['Content-Type', 'application/grpc+proto']]) }
  for (const answer of [reply(415, ''), reply(405, ''), calls]) {
    const { look, lines } = setUp()
    await look(answer)
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['info'],
    )
  }
})

test('a slow service is not asked again while a request is pending', async () => {
  const { documents, clock, asked, answers, settle } = setUp()
  const { promise, resolve } = Promise.withResolvers<ServiceReply>()
  answers.push(promise, reply(200, documentOf('two')))
  documents.start()
  await settle()
  clock.advance(3 * MINUTE)
  assert.equal(asked.length, 1)
  resolve(reply(200, documentOf('one')))
  await settle()
  clock.advance(MINUTE)
  assert.equal(asked.length, 2)
  await settle()
  documents.stop()
  clock.advance(MINUTE)
  assert.equal(asked.length, 2)
  assert.equal(clock.pending, 0)
})

test('the next configuration begins with the documents of the previous one', async () => {
  const first = setUp()
  await first.look(reply(200, documentOf('one'), '"1"'))
  const { documents, look, title, asked } = setUp(first.documents)
  const adopted = look(new GatewayError('service-unavailable'))
  await documents.adopted
  assert.equal(title(), 'one')
  await adopted
  assert.deepEqual([title(), asked[0]!.headers.get('If-None-Match')], ['one', '"1"'])
  await look(reply(200, documentOf('two')))
  assert.equal(title(), 'two')
})

test('no document is fetched while those of the previous configuration are read, and none is read after a stop', async () => {
  const names = ['users', 'orders']
  const first = setUp(null, '/openapi.json', names)
  first.answers.push(reply(200, documentOf('one')))
  await first.look(reply(200, documentOf('one')))
  const next = setUp(first.documents, '/openapi.json', names)
  next.documents.start()
  next.clock.advance(MINUTE)
  assert.equal(next.asked.length, 0)
  await next.documents.adopted
  await next.settle()
  assert.equal(next.asked.length, 2)
  const last = setUp(first.documents, '/openapi.json', names)
  last.documents.start()
  last.documents.stop()
  await last.documents.adopted
  await last.settle()
  assert.deepEqual([last.asked.length, last.clock.pending, last.documents.apis.size], [0, 0, 0])
})

test('a failure that the previous configuration has logged is not logged again', async () => {
  const first = setUp()
  await first.look(reply(500, ''))
  assert.equal(first.lines.length, 1)
  const { look, lines } = setUp(first.documents)
  await look(reply(500, ''))
  assert.deepEqual(lines, [])
})

test('a document from another path is not taken over', async () => {
  const first = setUp()
  await first.look(reply(200, documentOf('one')))
  const { look, title } = setUp(first.documents, '/openapi.json')
  await look(new GatewayError('service-unavailable'))
  assert.equal(title(), undefined)
})

test('a thousand services are asked in slices, with other work in between', async () => {
  const clock = new ManualClock()
  const names = Array.from({ length: 1000 }, (_, i) => `service-${i}`)
  let requests = 0
  const documents = new ServiceDocuments({
    paths: new Map(names.map((name) => [name, '/openapi.json'])),
    refresh: MINUTE,
    places: new Places(routes, []),
    callService: () => {
      requests++
      clock.advance(1)
      return Promise.reject(new GatewayError('service-unavailable'))
    },
    clock,
    log: createMemoryLogger('info', clock).log,
    changed: () => {},
  })
  documents.start()
  let most = requests
  for (let before = requests; requests < names.length; before = requests) {
    await new Promise(setImmediate)
    most = Math.max(most, requests - before)
  }
  assert.ok(most <= 6, `${most} in one turn`)
  documents.stop()
})
