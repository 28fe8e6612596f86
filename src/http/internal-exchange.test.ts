import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { Headers } from './headers.ts'
import { internalExchange } from './internal-exchange.ts'
import { ServerExchange } from './server-exchange.ts'

const { client } = makeExchange()

function ask(target: string, headers = Headers.of()): ServerExchange {
  return internalExchange({ method: 'PUT', target, host: 'user-service', headers, client, start: 5 })
}

test('a request of the gateway itself is an exchange of the same class, with the given target', () => {
  const exchange = ask('/a?b=1?c')
  assert.ok(exchange instanceof ServerExchange)
  const { method, path, query, target, host, start } = exchange
  assert.deepEqual(
    { method, path, query, target, host, start },
    { method: 'PUT', path: '/a', query: '?b=1?c', target: null, host: 'user-service', start: 5 },
  )
})

test('its headers are a copy', () => {
  const headers = Headers.of([['X-One', '1']])
  const exchange = ask('/', headers)
  exchange.headers.set('X-One', '2')
  assert.deepEqual([headers.get('X-One'), exchange.headers.get('X-One')], ['1', '2'])
})

test('an early end is reported once to the waiter', () => {
  const exchange = ask('/')
  let calls = 0
  exchange.waiter = { abort: () => calls++ }
  exchange.abort()
  exchange.abort()
  assert.deepEqual([calls, exchange.aborted], [1, true])
})

test('interim responses are ignored, and an invalid status is rejected', () => {
  ask('/').sendInterim(103, Headers.of())
  assert.throws(() => ask('/').sendInterim(200, Headers.of()), RangeError)
})
