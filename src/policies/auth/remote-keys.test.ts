import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startKeyServer } from '../../../test/support/key-server.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { jwkOf, pairs } from '../../../test/support/tokens.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { GatewayError } from '../../core/errors.ts'
import { RemoteKeys } from './remote-keys.ts'

const MINUTE = 60_000

const first = jwkOf(pairs.rsa.publicKey, { kid: 'first' })
const second = jwkOf(pairs.otherRsa.publicKey, { kid: 'second' })

async function setUp(t: TestContext, keys: readonly object[] = [first], discover = false) {
  const server = await startKeyServer(t, keys)
  const clock = new ManualClock()
  const output = createMemoryLogger('debug', clock)
  let onChange = (): void => {}
  let changes = 0
  const changed = (): void => {
    changes++
    onChange()
  }
  const create = () => {
    const from = discover ? { issuer: server.url } : { jwks: `${server.url}/keys` }
    return new RemoteKeys({ from, refresh: 10 * MINUTE, changed }, makeToolbox({ clock, log: output.log }))
  }
  return {
    server,
    clock,
    create,
    changes: () => changes,
    nextChange: () => new Promise<void>((resolve) => (onChange = resolve)),
    messages: () => output.lines.map(({ level, message }) => [level, message]),
  }
}

async function ids(keys: RemoteKeys, id?: string): Promise<(string | undefined)[]> {
  return (await keys.find('RS256', id)).map((key) => key.id)
}

const failsFor = (reason: RegExp) => (error: unknown) =>
  error instanceof GatewayError && error.code === 'service-unavailable' && reason.test(error.message)

test('keys are fetched once, and then found without waiting', async (t) => {
  const { server, create } = await setUp(t)
  const keys = create()
  assert.deepEqual(await Promise.all([ids(keys, 'first'), ids(keys, 'first')]), [['first'], ['first']])
  assert.ok(!(keys.find('RS256', 'first') instanceof Promise))
  assert.equal(server.requests, 1)
})

test('a new key is fetched with the first token that names it, and old ones are dropped', async (t) => {
  const { server, create, clock, changes } = await setUp(t)
  const keys = create()
  await ids(keys, 'first')
  server.keys = [second]
  clock.advance(10_000)
  assert.deepEqual(await ids(keys, 'second'), ['second'])
  assert.deepEqual(await ids(keys, 'first'), [])
  assert.equal(changes(), 1)
})

test('a flood of unknown key ids causes one request every ten seconds', async (t) => {
  const { server, create, clock } = await setUp(t)
  const keys = create()
  await ids(keys, 'first')
  for (let round = 1; round <= 3; round++) {
    clock.advance(10_000)
    const found = await Promise.all(Array.from({ length: 1000 }, (_, i) => ids(keys, `made-up-${i}`)))
    assert.ok(found.every((list) => list.length === 0))
    assert.equal(server.requests, 1 + round)
    clock.advance(9_999)
    await Promise.all(Array.from({ length: 1000 }, (_, i) => ids(keys, `made-up-${i}`)))
    assert.equal(server.requests, 1 + round)
    clock.advance(1)
  }
})

test('an old key set is refreshed in the background, and used meanwhile', async (t) => {
  const { server, create, clock, nextChange } = await setUp(t)
  const keys = create()
  await ids(keys, 'first')
  server.keys = [second]
  clock.advance(10 * MINUTE + 1)
  const change = nextChange()
  const found = keys.find('RS256', 'first')
  assert.ok(!(found instanceof Promise))
  assert.equal(found.length, 1)
  await change
  assert.deepEqual(await ids(keys, 'second'), ['second'])
  assert.equal(server.requests, 2)
})

test('an unchanged key set is not a change', async (t) => {
  const { server, create, clock, changes } = await setUp(t)
  const keys = create()
  await ids(keys, 'first')
  clock.advance(10_000)
  await ids(keys, 'unknown')
  assert.equal(server.requests, 2)
  assert.equal(changes(), 0)
})

const failures = {
  'an error status': { status: 500, text: '' },
  'a redirect': { status: 302, text: '' },
  'invalid JSON': { status: 200, text: 'keys' },
  'no key set': { status: 200, text: '{"keys":{}}' },
  'an empty set': { status: 200, text: '{"keys":[]}' },
  'a set with secrets': { status: 200, text: '{"keys":[{"kty":"oct","k":"AAAA","kid":"first"}]}' },
  'a set with too many keys': { status: 200, text: JSON.stringify({ keys: Array.from({ length: 101 }, () => first) }) },
  'an endless set': { status: 200, text: JSON.stringify({ keys: [first], filling: 'x'.repeat(600_000) }) },
}
for (const [what, broken] of Object.entries(failures))
  test(`after ${what} the old keys are kept, and the failure is logged once`, async (t) => {
    const { server, create, clock, changes, messages } = await setUp(t)
    const keys = create()
    await ids(keys, 'first')
    server.broken = broken
    for (let round = 0; round < 3; round++) {
      clock.advance(10_000)
      assert.deepEqual(await ids(keys, 'second'), [])
      assert.deepEqual(await ids(keys, 'first'), ['first'])
    }
    assert.equal(server.requests, 4)
    server.broken = null
    server.keys = [first, second]
    clock.advance(10_000)
    assert.deepEqual(await ids(keys, 'second'), ['second'])
    assert.equal(changes(), 1)
    assert.deepEqual(messages(), [
      ['warn', 'The keys that verify tokens cannot be fetched; the current ones stay in use'],
      ['info', 'The keys that verify tokens can be fetched again'],
    ])
  })

test('the log has the URL of the keys without secrets in its query', async (t) => {
  const { server, clock } = await setUp(t)
  const { log, lines } = createMemoryLogger('debug', clock)
  server.broken = { status: 500, text: '' }
  const from = { jwks: `${server.url}/keys?api_key=hush` }
  const keys = new RemoteKeys({ from, refresh: 10 * MINUTE, changed: () => {} }, makeToolbox({ clock, log }))
  await assert.rejects(ids(keys))
  assert.equal(lines[0]!['from'], `${server.url}/keys`)
  assert.doesNotMatch(JSON.stringify(lines), /hush/)
})

test('a provider that does not respond times out after five seconds', async (t) => {
  const { server, create, clock } = await setUp(t)
  const keys = create()
  await ids(keys, 'first')
  server.broken = 'silent'
  clock.advance(10_000)
  const found = ids(keys, 'second')
  // The deadline begins with the request, a few turns of the microtask queue from here.
  await new Promise(setImmediate)
  clock.advance(5000)
  assert.deepEqual(await found, [])
  assert.deepEqual(await ids(keys, 'first'), ['first'])
})

test('without any keys tokens are 503, and fetching is retried once a second', async (t) => {
  const { server, create, clock } = await setUp(t)
  server.broken = { status: 500, text: '' }
  const keys = create()
  await assert.rejects(ids(keys, 'first'), failsFor(/cannot be fetched/))
  await assert.rejects(ids(keys, 'first'), failsFor(/cannot be fetched/))
  assert.equal(server.requests, 1)
  server.broken = null
  clock.advance(1000)
  assert.deepEqual(await ids(keys, 'first'), ['first'])
})

test('a token without a key id is accepted if exactly one key fits', async (t) => {
  const es256 = jwkOf(pairs.p256.publicKey, { kid: 'ec' })
  const one = (await setUp(t, [first, es256])).create()
  assert.deepEqual(await ids(one), ['first'])
  const two = (await setUp(t, [first, second])).create()
  assert.deepEqual(await ids(two), [])
})

test('a key without an id does not match a token with a key id', async (t) => {
  const keys = (await setUp(t, [jwkOf(pairs.rsa.publicKey)])).create()
  assert.deepEqual(await ids(keys, 'first'), [])
  assert.deepEqual(await ids(keys), [undefined])
})

test('unusable keys are skipped', async (t) => {
  const keys = (
    await setUp(t, [{ kty: 'AKP', kid: 'new' }, jwkOf(pairs.otherRsa.publicKey, { use: 'enc' }), first])
  ).create()
  assert.deepEqual(await ids(keys, 'first'), ['first'])
  assert.deepEqual(await ids(keys, 'new'), [])
})

test('keys are found by OpenID discovery', async (t) => {
  const { server, create } = await setUp(t, [first], true)
  server.documents['/.well-known/openid-configuration'] = { issuer: server.url, jwks_uri: `${server.url}/keys` }
  assert.deepEqual(await ids(create(), 'first'), ['first'])
  assert.equal(server.requests, 2)
})

for (const [what, document] of Object.entries({
  'another issuer': { issuer: 'https://evil.example', jwks_uri: 'http://127.0.0.1:1/keys' },
  'no jwks_uri': {},
  'an invalid jwks_uri': { jwks_uri: '/keys' },
}))
  test(`a discovery document with ${what} is rejected`, async (t) => {
    const { server, create } = await setUp(t, [first], true)
    server.documents['/.well-known/openid-configuration'] = { issuer: server.url, ...document }
    await assert.rejects(ids(create(), 'first'), failsFor(/cannot be fetched/))
    assert.equal(server.requests, 1)
  })
