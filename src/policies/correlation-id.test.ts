import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import { Bytes } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Handler } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { correlationId } from './correlation-id.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

async function run(sent: readonly string[], options = {}, next: Handler = () => new Reply(200, Headers.of(), null)) {
  const exchange = makeExchange({ headers: Headers.of(sent.map((id) => ['x-correlation-id', id])) })
  const reply = await applyPolicy(correlationId, options, next)(exchange)
  return { exchange, reply }
}

test('a request without an id gets a UUID, which the service and the client see', async () => {
  const { exchange, reply } = await run([])
  assert.match(exchange.correlationId, UUID)
  assert.equal(exchange.headers.get('X-Correlation-ID'), exchange.correlationId)
  assert.equal(reply.headers.get('X-Correlation-ID'), exchange.correlationId)
})

test('generated ids are unique', async () => {
  const results = await Promise.all(Array.from({ length: 100 }, () => run([])))
  assert.equal(new Set(results.map(({ exchange }) => exchange.correlationId)).size, 100)
})

for (const id of ['7', 'order-42_a.b~c', 'dGVzdA==', 'Root=1-67891233', 'user@host/1+2', 'x'.repeat(128)])
  test(`the client's id ${id.slice(0, 20)} is kept`, async () => {
    const { exchange, reply } = await run([id])
    assert.equal(exchange.correlationId, id)
    assert.deepEqual(exchange.headers.getAll('X-Correlation-ID'), [id])
    assert.equal(reply.headers.get('X-Correlation-ID'), id)
  })

for (const id of [
  '',
  'x'.repeat(129),
  'two words',
  '<script>',
  '"quoted"',
  '${jndi}',
  '//evil',
  '-rf',
  'caf\xe9',
  'a,b',
])
  test(`the client's id ${JSON.stringify(id.slice(0, 20))} is replaced`, async () => {
    const { exchange } = await run([id])
    assert.match(exchange.correlationId, UUID)
    assert.deepEqual(exchange.headers.getAll('X-Correlation-ID'), [exchange.correlationId])
  })

test('several ids are replaced by one', async () => {
  const { exchange } = await run(['one', 'two'])
  assert.match(exchange.correlationId, UUID)
  assert.deepEqual(exchange.headers.getAll('X-Correlation-ID'), [exchange.correlationId])
})

test('the id on the reply replaces one sent by the service', async () => {
  const { reply } = await run(['mine'], {}, () => new Reply(200, Headers.of([['X-Correlation-Id', 'theirs']]), null))
  assert.deepEqual(reply.headers.getAll('X-Correlation-ID'), ['mine'])
})

const failures: Record<string, Handler> = {
  thrown() {
    throw new GatewayError('not-found')
  },
  rejected: () => Promise.reject(new GatewayError('not-found')),
}

for (const [how, next] of Object.entries(failures))
  test(`the reply to an error that was ${how} has the id as header and instance`, async () => {
    const { reply } = await run(['mine'], {}, next)
    assert.equal(reply.status, 404)
    assert.equal(reply.headers.get('X-Correlation-ID'), 'mine')
    assert.ok(reply.body instanceof Bytes)
    assert.equal((JSON.parse(reply.body.toText()) as { instance: string }).instance, 'mine')
  })

test('the header can have another name', async () => {
  const { exchange, reply } = await run([], { header: 'X-Request-ID' })
  assert.equal(exchange.headers.get('X-Request-ID'), exchange.correlationId)
  assert.equal(reply.headers.get('X-Request-ID'), exchange.correlationId)
  assert.equal(reply.headers.get('X-Correlation-ID'), undefined)
})

test('an invalid header name, or one of the wire, is rejected', () => {
  assert.match(String(correlationId.options.safeParse({ header: 'X Id' }).error), /is not a header name/)
  assert.match(String(correlationId.options.safeParse({ header: 'Content-Length' }).error), /belongs to the connection/)
})
