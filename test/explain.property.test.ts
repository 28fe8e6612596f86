import assert from 'node:assert/strict'
import test from 'node:test'
import { explanation } from '../src/admin/explain.ts'
import { requestAdmin } from './support/admin.ts'
import { cases } from './support/cases.ts'
import { type Ask, send } from './support/client.ts'
import { startDemo } from './support/demo.ts'

/** All kinds of requests to the demo: the same for the same seed. */
function requestsTo(count: number, token: string, seed: number): Ask[] {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 8
  }
  const any = <Item>(items: readonly Item[]): Item => items[next() % items.length]!
  const areas = [
    'users',
    'auth',
    'roles',
    'orders',
    'order-items',
    'inventory',
    'products',
    'payments',
    'email',
    'none',
  ]
  const authorization = { Authorization: `Bearer ${token}` }
  return Array.from({ length: count }, (_, i) => {
    if (i % 12 === 0) {
      const body = any(['{}', '{"items":[]}', '{"items":[{"productId":"p-1","quantity":1}]}', 'no'])
      const headers = { ...authorization, 'Content-Type': 'application/json' }
      return { method: 'POST', path: '/api/v1/orders', headers, localAddress: '127.0.0.2', body }
    }
    // More than an anonymous client may send in an hour.
    if (i % 4 === 1)
      return { method: 'GET', path: `/api/v1/products/p-${next() % 9}`, headers: {}, localAddress: '127.0.0.9' }
    const method = any(['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])
    const path = any([
      `/api/v1/${any(areas)}`,
      `/api/v1/${any(areas)}/${any(['1', '2', 'p-1', 'a%2Fb', 'a%20b', '..', './7', 'introspect', 'login'])}`,
      `/api/v1/${any(areas)}/1/${any(['items', '', 'x//y'])}${any(['', '?page=2', '?token=a'])}`,
      any(['/health', '/', '//api', '/api/v1/orders;v=1', '/docs', '/openapi.json', '/api%5Cv1']),
    ])
    const credentials = any([{}, {}, authorization, { Authorization: 'Bearer a.b.c' }, { 'X-API-Key': 'wrong' }])
    const preflight =
      method === 'OPTIONS'
        ? { Origin: 'https://shop.example', 'Access-Control-Request-Method': any(['GET', 'PUT']) }
        : {}
    const body = method === 'POST' ? any(['{}', '{"items":[{"productId":"p-1","quantity":1}]}', 'no']) : undefined
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
    return {
      method,
      path,
      headers: { ...credentials, ...preflight, ...type },
      localAddress: `127.0.0.${2 + (next() % 3)}`,
      ...(body !== undefined && { body }),
    }
  })
}

// Each with its own demo, whose limits are not used up.
for (let seed = 1; seed <= cases(1); seed++)
  test(`the explanations of 500 requests to the demo match their routes, statuses and services (seed ${seed})`, async (t) => {
    const { port, log, gateway } = await startDemo(t)
    const adminPort = gateway.adminAddress!.port
    const login = await send(port, {
      method: 'POST',
      path: '/api/v1/auth/login',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'alice@example.com', password: 'wonderland' }),
    })
    const { token = '' } = JSON.parse(login.text) as { token?: string }
    const outcomes = new Map<string, number>()
    for (const [i, ask] of requestsTo(500, token, seed).entries()) {
      const { method, path: url, body, localAddress: from } = ask
      const headers = { ...ask.headers, 'X-Correlation-ID': `request-${i}` }
      const question = {
        method,
        url,
        headers: { ...headers, Host: `127.0.0.1:${port}` },
        from,
        ...(body !== undefined && { body }),
      }
      const answer = await requestAdmin(adminPort, '/explain', { method: 'POST', json: question })
      assert.equal(answer.status, 200, answer.text)
      const reported = explanation.parse(answer.json)
      const live = await send(port, { ...ask, headers })
      const line = await log.line({ correlation_id: `request-${i}`, message: 'API Gateway Request' })
      const what = `${i}: ${method} ${url} from ${from}`
      assert.equal(reported.route?.id ?? null, line['route'] || null, what)
      if (reported.outcome === 'sent') {
        assert.notEqual(line['instance'], null, what)
        assert.equal(reported.service!.name, line['service'], what)
      } else {
        assert.equal(line['instance'], null, what)
        assert.equal(reported.status, live.status, what)
      }
      const key = reported.outcome === 'sent' ? 'sent' : String(reported.status)
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
    }
    for (const kind of ['sent', '200', '204', '400', '401', '404', '422', '429'])
      assert.ok((outcomes.get(kind) ?? 0) > 5, `${kind}: ${JSON.stringify([...outcomes])}`)
  })
