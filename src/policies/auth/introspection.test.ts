import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { startService } from '../../../test/support/service.ts'
import { NOW } from '../../../test/support/tokens.ts'
import { Headers } from '../../http/headers.ts'
import { introspection } from './introspection.ts'

const clock = new ManualClock()

function create(options: Parameters<typeof introspection.options.parse>[0], toolbox = makeToolbox({ clock })) {
  const authenticator = introspection.create(introspection.options.parse(options), toolbox)
  return async (token: string) => {
    const headers = Headers.of([['Authorization', `Bearer ${token}`]])
    return (await authenticator.authenticate(makeExchange({ headers })))?.consumer
  }
}

test('any token is introspected at the URL, and the answer becomes the consumer', async (t) => {
  const bodies: string[] = []
  const service = await startService(t, (request, response) => {
    request.setEncoding('utf8')
    request.on('data', (text: string) => bodies.push(text))
    request.on('end', () =>
      response.end(JSON.stringify({ active: true, client_id: 'app', scope: 'read', exp: NOW + 60 })),
    )
  })
  const url = `${service.url}/oauth/introspect`
  const ask = create({ url, claims: { id: 'client_id' }, credentials: { id: 'gateway', secret: 's' } })
  const claims = { active: true, client_id: 'app', scope: 'read', exp: NOW + 60 }
  const consumer = { id: 'app', roles: [], scopes: ['read'], tier: 'authenticated', key: null, claims }
  assert.deepEqual(await ask('a+/b='), consumer)
  assert.deepEqual(bodies, ['token=a%2B%2Fb%3D&token_type_hint=access_token'])
  const [received] = service.received
  assert.deepEqual([received?.method, received?.url], ['POST', '/oauth/introspect'])
  assert.equal(received?.headers.authorization, `Basic ${btoa('gateway:s')}`)
})

test('redirects of the endpoint are not followed', async (t) => {
  const service = await startService(t, (_, response) => void response.writeHead(307, { Location: '/elsewhere' }).end())
  await assert.rejects(create({ url: `${service.url}/introspect` })('opaque'), { status: 503 })
  assert.equal(service.received.length, 1)
})

test('an endpoint that times out causes 503', async (t) => {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const service = await startService(t, () => resolve())
  const waiting = create({ url: `${service.url}/introspect`, timeout: '1s' })('opaque')
  await asked
  clock.advance(1000)
  await assert.rejects(waiting, { status: 503 })
})
