import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { Bytes } from './body.ts'
import { errorTable, GatewayError, type ErrorCode, type ErrorEntry } from '../core/errors.ts'
import { GrpcCall } from '../grpc/call.ts'
import { errorReply, problemReply } from './problem.ts'
import type { Reply } from './reply.ts'

function documentOf(reply: Reply): unknown {
  assert.ok(reply.body instanceof Bytes)
  return JSON.parse(reply.body.toText())
}

test('an error becomes a problem document with its status, and the correlation id as instance', () => {
  const error = new GatewayError('not-found', 'No route matches /nowhere.')
  const reply = problemReply(error, 'c-1')
  assert.equal(reply.status, 404)
  assert.equal(reply.headers.get('Content-Type'), 'application/problem+json')
  assert.equal(reply.headers.get('Cache-Control'), 'no-store')
  assert.deepEqual(documentOf(reply), {
    type: 'urn:sallyport:error:not-found',
    title: 'Not found',
    status: 404,
    detail: 'No route matches /nowhere.',
    instance: 'c-1',
  })
})

test('every code has its own title, status, and a type that is unique unless registered', () => {
  const titles = new Set<unknown>()
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const document = documentOf(problemReply(new GatewayError(code), 'c-1')) as Record<string, unknown>
    assert.equal(document['title'], errorTable[code].title)
    assert.equal(document['status'], errorTable[code].status)
    const { type = `urn:sallyport:error:${code}` }: ErrorEntry = errorTable[code]
    assert.equal(document['type'], type)
    titles.add(document['title'])
  }
  assert.equal(titles.size, Object.keys(errorTable).length)
})

test('a problem without detail omits it', () => {
  assert.deepEqual(documentOf(problemReply(new GatewayError('too-busy'), 'c-1')), {
    type: 'urn:sallyport:error:too-busy',
    title: 'Gateway too busy',
    status: 503,
    instance: 'c-1',
  })
})

test('any other thrown value becomes an internal error that reveals nothing', () => {
  for (const thrown of [new TypeError('password hunter2'), 'hunter2', null, { hunter2: true }]) {
    const reply = problemReply(thrown, 'c-1')
    assert.equal(reply.status, 500)
    assert.deepEqual(documentOf(reply), {
      type: 'urn:sallyport:error:internal-error',
      title: 'Internal server error',
      status: 500,
      instance: 'c-1',
    })
    const exchange = makeExchange()
    errorReply(thrown, exchange)
    assert.equal(exchange.error?.code, 'internal-error')
    assert.equal(exchange.error.cause, thrown)
  }
})

test('the cause of a gateway error is not revealed', () => {
  const reply = problemReply(
    new GatewayError('bad-gateway', undefined, { cause: new Error('10.0.0.7 refused') }),
    'c-1',
  )
  assert.doesNotMatch(JSON.stringify(documentOf(reply)), /10\.0\.0\.7/)
})

test('extension members follow the standard ones and cannot replace them', () => {
  const members = { retryAfter: 5, status: 200, instance: 'forged', detail: 'forged' }
  const reply = problemReply(new GatewayError('too-busy', 'Come back later.', { members }), 'c-1')
  assert.deepEqual(Object.entries(documentOf(reply) as object), [
    ['type', 'urn:sallyport:error:too-busy'],
    ['title', 'Gateway too busy'],
    ['status', 503],
    ['detail', 'Come back later.'],
    ['instance', 'c-1'],
    ['retryAfter', 5],
  ])
})

test('headers of the error are on the reply, including repeated ones', () => {
  const headers = [
    ['Allow', 'GET'],
    ['WWW-Authenticate', 'Bearer'],
    ['WWW-Authenticate', 'Basic'],
  ] as const
  const reply = problemReply(new GatewayError('method-not-allowed', undefined, { headers }), 'c-1')
  assert.equal(reply.headers.get('Allow'), 'GET')
  assert.deepEqual(reply.headers.getAll('WWW-Authenticate'), ['Bearer', 'Basic'])
})

test('replies with the same code do not share headers', () => {
  const first = problemReply(new GatewayError('not-found'), 'c-1')
  first.headers.set('X-Mine', '1')
  assert.equal(problemReply(new GatewayError('not-found'), 'c-2').headers.get('X-Mine'), undefined)
})

test('the exchange keeps the error and its cause for the log', () => {
  const error = new GatewayError('not-found')
  const known = makeExchange()
  errorReply(error, known)
  assert.equal(known.error, error)

  const unknown = makeExchange()
  errorReply('oops', unknown)
  assert.deepEqual([unknown.error?.code, unknown.error?.cause], ['internal-error', 'oops'])
})

test('an exchange gets a correlation id with its error reply, or keeps the one it has', () => {
  const without = makeExchange()
  const reply = errorReply(new GatewayError('not-found'), without)
  assert.match(without.correlationId, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  assert.equal((documentOf(reply) as { instance: string }).instance, without.correlationId)

  const having = makeExchange({ correlationId: 'c-1' })
  assert.equal((documentOf(errorReply('oops', having)) as { instance: string }).instance, 'c-1')
})

test('a code with a registered type uses it', () => {
  const { type } = documentOf(problemReply(new GatewayError('rate-limited'), 'c-1')) as Record<string, unknown>
  assert.equal(type, 'https://iana.org/assignments/http-problem-types#quota-exceeded')
})

test('a gRPC client gets a trailers-only reply with all headers of the error', () => {
  const error = new GatewayError('rate-limited', 'Quota of 100% used – wait.', { headers: [['Retry-After', '7']] })
  const exchange = makeExchange({ grpc: new GrpcCall(Number.POSITIVE_INFINITY) })
  const reply = errorReply(error, exchange)
  assert.equal(reply.status, 200)
  assert.equal(reply.body, null)
  assert.deepEqual(Object.fromEntries(reply.headers), {
    'content-type': 'application/grpc',
    'grpc-status': '8',
    'grpc-message': 'Quota of 100%25 used %E2%80%93 wait.',
    'Retry-After': '7',
  })
  assert.equal(exchange.error, error)
  assert.equal(exchange.grpc?.status, 8)
  assert.notEqual(exchange.correlationId, '')
})

test('unexpected errors reveal nothing to gRPC clients either', () => {
  const reply = errorReply(new Error('secret'), makeExchange({ grpc: new GrpcCall(Number.POSITIVE_INFINITY) }))
  assert.equal(reply.headers.get('grpc-status'), '13')
  assert.equal(reply.headers.get('grpc-message'), 'Internal server error')
})
