import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startRedis } from './support/redis.ts'
import { startService } from './support/service.ts'
import { signedFields, type ToSign } from './support/sign-request.ts'
import { NOW, pairs, pemOf, SECRET } from './support/tokens.ts'

type Auth = Exclude<NonNullable<GatewayInput['policies']>['auth'], false | undefined>
type Signature = NonNullable<Auth['methods']['signature']>

const keys: Signature['keys'] = [
  { id: 'partner', algorithm: 'ed25519', publicKey: pemOf(pairs.ed25519.publicKey), owner: 'acme', roles: ['orders'] },
  { id: 'internal', algorithm: 'hmac-sha256', secret: SECRET, tier: 'gold' },
]
const parameters = { created: NOW, keyid: 'partner' }

interface Sent {
  /** What is sent instead of what was signed. */
  readonly changed?: { readonly method?: string; readonly path?: string; readonly body?: string | undefined }
  readonly fields?: Readonly<Record<string, string>>
}

async function setUp(
  t: TestContext,
  options: Partial<Signature> = {},
  auth: Partial<Auth> = {},
  more: GatewayInput = {},
) {
  const clock = new ManualClock()
  const service = await startService(t, (request, response) => void request.pipe(response))
  const configWith = (changed: Partial<Signature>, others = more): GatewayInput => ({
    ...proxyTo(service.url, { policies: { auth: { ...auth, methods: { signature: { keys, ...changed } } } } }),
    ...others,
  })
  const { gateway, port } = await startGateway(t, configWith(options), { clock })
  const reload = (changed: Partial<Signature>, others?: GatewayInput) => gateway.reload(configWith(changed, others))
  const authority = `127.0.0.1:${port}`
  const ask = ({ changed = {}, fields = {}, ...what }: Partial<ToSign> & Sent = {}) => {
    const { method = 'GET', path = '/orders?page=2', body } = { ...what, ...changed }
    const signed = signedFields({
      authority,
      path: '/orders?page=2',
      parameters,
      key: pairs.ed25519.privateKey,
      ...what,
    })
    return send(port, { method, path, headers: { ...signed, ...fields }, ...(body !== undefined && { body }) })
  }
  return { clock, service, port, ask, reload }
}

const POST = { method: 'POST', body: '{"order":7}' }

test('a signed request is authenticated as the owner of the key', async (t) => {
  const { service, ask } = await setUp(t)
  assert.equal((await ask()).status, 200)
  assert.partialDeepStrictEqual(service.received[0]?.headers, { 'x-user-id': 'acme', 'x-user-roles': 'orders' })
  const shared = await ask({ key: SECRET, parameters: { created: NOW, keyid: 'internal', alg: 'hmac-sha256' } })
  assert.equal(shared.status, 200)
  assert.partialDeepStrictEqual(service.received[1]?.headers, { 'x-user-id': 'internal', 'x-consumer-tier': 'gold' })
})

test('a body is compared with its digest, and forwarded unchanged', async (t) => {
  const { ask } = await setUp(t)
  const reply = await ask(POST)
  assert.deepEqual([reply.status, reply.text], [200, POST.body])
  const forged = await ask({ ...POST, changed: { body: '{"order":8}' }, parameters: { ...parameters, nonce: 'b' } })
  assert.equal(forged.status, 401)
  assert.match(forged.text, /Content-Digest/)
})

test('a removed body is detected', async (t) => {
  const { ask, service } = await setUp(t)
  for (const method of ['POST', 'DELETE']) {
    const reply = await ask({ ...POST, method, changed: { body: undefined }, fields: { 'Content-Length': '0' } })
    assert.equal(reply.status, 401)
    assert.match(reply.text, /Content-Digest/)
  }
  assert.equal(service.received.length, 0)
  assert.equal((await ask({ method: 'DELETE', body: '', changed: { body: undefined } })).status, 200)
})

test('a modified request is rejected', async (t) => {
  const { ask, service } = await setUp(t)
  for (const changed of [
    { path: '/orders?page=3' },
    { path: '/admin?page=2' },
    { method: 'DELETE' },
    { path: '/orders' },
  ])
    assert.equal((await ask({ changed })).status, 401)
  assert.equal((await ask({ fields: { Host: 'other.example' } })).status, 401)
  assert.equal(service.received.length, 0)
})

test('a signature has to cover the request, and the digest of a body', async (t) => {
  const { ask } = await setUp(t)
  for (const components of [[], ['@method'], ['@method', '@authority', '@path']]) {
    const reply = await ask({ components })
    assert.equal(reply.status, 401)
    assert.match(reply.text, /does not cover all required components/)
  }
  assert.equal((await ask({ ...POST, components: ['@method', '@target-uri'] })).status, 401)
  assert.equal((await ask({ components: ['@method', '@target-uri'] })).status, 200)
  assert.equal((await ask({ ...POST, components: ['@method', '@target-uri', 'content-digest'] })).status, 200)
})

test('further required components can be configured', async (t) => {
  const { ask } = await setUp(t, { components: ['@method', '@target-uri', 'x-tenant'] })
  const headers = { 'x-tenant': 'acme' }
  const components = ['@method', '@target-uri', 'x-tenant']
  assert.equal((await ask({ headers, components })).status, 200)
  assert.equal((await ask({ headers, components, fields: { 'x-tenant': 'other' } })).status, 401)
  assert.equal((await ask({ headers, components: components.slice(0, 2) })).status, 401)
})

test('a signature is valid once, and for a few minutes', async (t) => {
  const { ask, clock } = await setUp(t)
  assert.equal((await ask()).status, 200)
  const again = await ask()
  assert.equal(again.status, 401)
  assert.match(again.text, /has been used before/)
  assert.equal((await ask({ parameters: { ...parameters, nonce: 'another' } })).status, 200)
  clock.advance(5 * 60_000 + 29_000)
  assert.equal((await ask()).status, 401)
  assert.equal((await ask({ parameters: { ...parameters, nonce: 'late' } })).status, 200)
  clock.advance(2000)
  const old = await ask({ parameters: { ...parameters, nonce: 'later' } })
  assert.match(old.text, /too old, or from the future/)
})

for (const store of ['memory', 'Redis'])
  test(`${store}: a used signature is not accepted again after a reload that changes for how long signatures are valid`, async (t) => {
    const stores = store === 'memory' ? {} : { stores: { redis: { url: (await startRedis(t)).url } } }
    const { ask, clock, reload } = await setUp(
      t,
      {},
      {},
      {
        admin: false,
        listeners: [{ address: '127.0.0.1:0' }],
        ...stores,
      },
    )
    const signed = (nonce: string, age = 0) =>
      ask({ parameters: { ...parameters, created: NOW + Math.floor(clock.now() / 1000) - age, nonce } })
    const first = { parameters: { ...parameters, nonce: 'first' } }
    assert.equal((await ask(first)).status, 200)
    for (const options of [{ maxAge: '4m' }, { maxAge: '4m', tolerance: '10s' }, { maxAge: '1h' }, {}] as const) {
      await reload(options)
      assert.match((await ask(first)).text, /has been used before/, JSON.stringify(options))
      assert.equal((await signed(JSON.stringify(options))).status, 200)
    }
    await reload({ maxAge: '1h' })
    clock.advance(10 * 60_000)
    // Its use is no longer stored.
    assert.match((await ask(first)).text, /too old/)
    assert.equal((await signed('old', 9 * 60)).status, 200)
    assert.match((await signed('older', 10 * 60)).text, /too old/)
    clock.advance(60 * 60_000)
    assert.equal((await signed('much later', 59 * 60)).status, 200)
  })

test('a signature used while they were valid for a short time is not accepted again after a quick return to a long one', async (t) => {
  const listeners = [{ address: '127.0.0.1:0' }]
  const { ask, clock, reload } = await setUp(t, { maxAge: '1h' }, {}, { admin: false, listeners })
  await reload({ maxAge: '1m' })
  assert.equal((await ask()).status, 200)
  // Requests of the first configuration may still be in progress.
  await reload({ maxAge: '1h' })
  assert.match((await ask()).text, /has been used before/)
  clock.advance(10 * 60_000)
  assert.match((await ask()).text, /too old/)
})

test('a used signature is not accepted again after a reload that gives its route the longer time of another one', async (t) => {
  const routesWith = (maxAge: '1m' | '1h'): GatewayInput => ({
    admin: false,
    listeners: [{ address: '127.0.0.1:0' }],
    routes: [
      { id: 'all', match: { path: '/*' }, service: 'backend' },
      {
        id: 'orders',
        match: { path: '/orders' },
        service: 'backend',
        policies: { auth: { methods: { signature: { keys, maxAge } } } },
      },
    ],
  })
  const { ask, clock, reload } = await setUp(t, { maxAge: '1h' }, {}, routesWith('1m'))
  assert.equal((await ask()).status, 200)
  await reload({ maxAge: '1h' }, routesWith('1h'))
  clock.advance(10 * 60_000)
  assert.match((await ask()).text, /too old/)
})

test('with replay: accept a signature is valid until it expires', async (t) => {
  const { ask } = await setUp(t, { replay: 'accept' })
  for (let i = 0; i < 3; i++) assert.equal((await ask()).status, 200)
})

test('timestamps are required and have to be current', async (t) => {
  const { ask } = await setUp(t)
  const status = async (more: Record<string, string | number>) =>
    (await ask({ parameters: { keyid: 'partner', ...more } })).status
  assert.equal(await status({}), 401)
  assert.equal(await status({ created: 'now' }), 401)
  assert.equal(await status({ created: NOW + 0.5 }), 401)
  assert.equal(await status({ created: NOW + 31 }), 401)
  assert.equal(await status({ created: NOW + 29 }), 200)
  assert.equal(await status({ created: NOW - 10, expires: NOW - 31 }), 401)
  assert.equal(await status({ created: NOW - 10, expires: NOW + 1 }), 200)
})

test('only configured keys and their algorithms are accepted', async (t) => {
  const { ask } = await setUp(t)
  const status = async (what: Partial<ToSign>) => (await ask(what)).status
  assert.equal(await status({ parameters: { created: NOW, keyid: 'unknown' } }), 401)
  assert.equal(await status({ parameters: { created: NOW } }), 401)
  assert.equal(await status({ parameters: { ...parameters, alg: 'hmac-sha256' } }), 401)
  // The public key is not a secret: nobody signs with it.
  assert.equal(await status({ key: pemOf(pairs.ed25519.publicKey) }), 401)
  assert.equal(
    await status({ key: pemOf(pairs.ed25519.publicKey), parameters: { ...parameters, alg: 'hmac-sha256' } }),
    401,
  )
})

test('two signatures with known keys are rejected, and ones with unknown keys ignored', async (t) => {
  const { ask, port } = await setUp(t)
  const what = { authority: `127.0.0.1:${port}`, path: '/orders?page=2', parameters }
  const first = signedFields({ ...what, key: pairs.ed25519.privateKey })
  const joined = (second: Record<string, string>) => ({
    'Signature-Input': `${first['Signature-Input']}, ${second['Signature-Input']?.replace('sig1', 'sig2')}`,
    Signature: `${first['Signature']}, ${second['Signature']?.replace('sig1', 'sig2')}`,
  })
  const internal = signedFields({ ...what, key: SECRET, parameters: { created: NOW, keyid: 'internal' } })
  assert.equal((await ask({ fields: joined(internal) })).status, 400)
  const proxy = signedFields({ ...what, key: SECRET, parameters: { created: NOW, keyid: 'a-proxy' } })
  assert.equal((await ask({ fields: joined(proxy) })).status, 200)
})

test('malformed signatures are rejected', async (t) => {
  const { ask } = await setUp(t)
  for (const fields of [
    { 'Signature-Input': 'sig1' },
    { 'Signature-Input': '' },
    { 'Signature-Input': 'sig1=("@method"' },
    { Signature: 'sig1=:****:' },
    { Signature: 'sig1=token' },
    { Signature: 'sig2=:YQ==:' },
    { Signature: `sig1=:${'A'.repeat(12_000)}:` },
  ])
    assert.equal((await ask({ fields })).status, 401, JSON.stringify(fields).slice(0, 80))
})

test('without a signature the reply is 401, and failures are limited by address', async (t) => {
  const { ask, port } = await setUp(t, {}, { failures: '2/m' })
  const reply = await send(port)
  assert.deepEqual([reply.status, reply.headers['www-authenticate']], [401, 'Signature realm="sallyport"'])
  assert.match(reply.text, /Missing signature/)
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await ask({ changed: { path: `/${i}` } })).status)
  assert.deepEqual(statuses, [401, 401, 429, 429])
})

test('a body over the limit is 413, also on public paths', async (t) => {
  const { ask, service } = await setUp(t, { maxBody: '10b' }, { public: ['/*'] })
  assert.equal((await ask({ ...POST, body: 'a'.repeat(11) })).status, 413)
  assert.equal((await ask({ ...POST, body: 'a'.repeat(10) })).status, 200)
  assert.equal(service.received.length, 1)
})

test('on a public path a request with a wrong digest is anonymous', async (t) => {
  const { ask, service } = await setUp(t, {}, { public: ['/*'] })
  const reply = await ask({ ...POST, changed: { body: '{"order":8}' } })
  assert.deepEqual([reply.status, reply.text], [200, '{"order":8}'])
  assert.equal(service.received[0]?.headers['x-user-id'], undefined)
})

test('the signature is forwarded unless forwardToken is false', async (t) => {
  const seen = await setUp(t)
  await seen.ask()
  assert.ok(seen.service.received[0]?.headers['signature-input'] !== undefined)
  const hidden = await setUp(t, {}, { forwardToken: false })
  await hidden.ask()
  const { headers } = hidden.service.received[0] ?? assert.fail()
  assert.deepEqual([headers['signature-input'], headers['signature']], [undefined, undefined])
})

test('keys are checked when the configuration loads', async () => {
  const { signatureOptions } = await import('../src/policies/auth/signature/options.ts')
  const problem = (key: object): string => {
    const { error } = signatureOptions.safeParse({ keys: [{ id: 'a', ...key }] })
    return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join() ?? 'none'
  }
  assert.match(problem({ algorithm: 'ed25519' }), /^keys\.0\.publicKey: ed25519 requires it$/)
  assert.match(problem({ algorithm: 'hmac-sha256', secret: 'short' }), /^keys\.0\.secret: expected at least 32 bytes$/)
  assert.match(problem({ algorithm: 'ed25519', publicKey: pemOf(pairs.p256.publicKey) }), /expected an Ed25519 key/)
  assert.match(problem({ algorithm: 'ecdsa-p256-sha256', publicKey: pemOf(pairs.p384.publicKey) }), /EC key on P-256/)
  assert.match(problem({ algorithm: 'rsa-pss-sha512', secret: SECRET }), /does not use it: remove it/)
  const own = pairs.ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' })
  assert.match(problem({ algorithm: 'ed25519', publicKey: own }), /private key/)
  assert.equal(problem({ algorithm: 'rsa-pss-sha512', publicKey: pemOf(pairs.rsa.publicKey) }), 'none')
})
