import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { GatewayError } from '../core/errors.ts'
import { Reply } from '../http/reply.ts'
import { RoutePath } from './route-path.ts'

const info = { id: 'a', pattern: '/a', service: null }
const reply = Reply.json(200, {})

test('a shared chain continues with the end of the route of the exchange', () => {
  const exchange = makeExchange()
  exchange.route = new RoutePath(info, () => reply)
  assert.equal(RoutePath.goOn(exchange), reply)
  assert.equal(RoutePath.arrive(exchange), reply)
  assert.deepEqual({ ...exchange.route }, { ...info, logged: true, streaming: false })
})

test('a rejected exchange passes the policies but does not reach the end of the route', () => {
  const refusal = new GatewayError('bad-request', 'no')
  const exchange = makeExchange({ refusal })
  exchange.route = new RoutePath(info, () => reply)
  assert.equal(RoutePath.goOn(exchange), reply, 'policies are not yet known')
  assert.throws(() => RoutePath.arrive(exchange), refusal)
})

test('an exchange whose route was replaced causes an error', () => {
  const exchange = makeExchange()
  exchange.route = info
  assert.throws(() => RoutePath.goOn(exchange), { name: 'TypeError', message: /exchange\.route was replaced/ })
})
