import assert from 'node:assert/strict'
import test from 'node:test'
import { TrustedProxies } from '../listener/trusted-proxies.ts'
import { type CountedRequest, RequestsPerClient } from './requests-per-client.ts'

const request = (): CountedRequest => ({ client: { address: '192.0.2.1' }, countedFor: null })
const limits = (requests: number | undefined) => ({ limits: { perClient: { requests } } })

test('a changed limit counts requests already in flight', () => {
  const perClient = new RequestsPerClient(2, new TrustedProxies([]))
  const [first, second, third] = [request(), request(), request()]
  perClient.begin(first)
  perClient.begin(second)
  assert.throws(() => perClient.begin(third), { code: 'rate-limited' })
  perClient.configure(limits(3))
  perClient.begin(third)
  perClient.configure(limits(1))
  for (const exchange of [first, second]) perClient.end(exchange)
  assert.throws(() => perClient.begin(request()), { code: 'rate-limited' })
  perClient.end(third)
  perClient.begin(first)
})

test('the limit can be removed and set again', () => {
  const perClient = new RequestsPerClient(1, new TrustedProxies([]))
  const [counted, uncounted] = [request(), request()]
  perClient.begin(counted)
  perClient.configure(limits(undefined))
  perClient.begin(uncounted)
  perClient.configure(limits(1))
  assert.throws(() => perClient.begin(request()), { code: 'rate-limited' })
  // What began while there was no bound takes nobody's place when it ends.
  perClient.end(uncounted)
  assert.throws(() => perClient.begin(request()), { code: 'rate-limited' })
  perClient.end(counted)
  perClient.begin(request())
})
