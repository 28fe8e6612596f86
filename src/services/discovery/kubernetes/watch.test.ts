import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type ApiServer, slice, startApiServer } from '../../../../test/support/api-server.ts'
import { cleanUp } from '../../../../test/support/cleanup.ts'
import { SignallingClock } from '../../../../test/support/signalling-clock.ts'
import { createMemoryLogger } from '../../../telemetry/memory-logger.ts'
import { instancesOf } from './slices.ts'
import { SliceWatch } from './watch.ts'

/** Records the published state of a Service. */
class Told {
  readonly known: string[][] = []
  readonly failures: string[] = []
  private readonly waiting = new Set<() => void>()

  /** Resolves once that is so. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void this.waiting.add(resolve))
  }

  /** Resolves once those are the addresses. */
  addresses(...wanted: readonly string[]): Promise<void> {
    return this.until(() => this.known.at(-1)?.join(' ') === wanted.join(' '))
  }

  wake(): void {
    for (const resolve of this.waiting) resolve()
    this.waiting.clear()
  }
}

function follow(t: TestContext, api: ApiServer, access: { token: string | null } = { token: null }) {
  const clock = new SignallingClock()
  const { log } = createMemoryLogger('info')
  const read = () =>
    Promise.resolve({ server: `http://127.0.0.1:${api.port}`, ca: null, namespace: 'shop', token: access.token })
  const watch = new SliceWatch({ service: 'users', access: read, clock, random: () => 0.5, log })
  const reported = new Told()
  watch.add({
    known: (slices) => {
      reported.known.push(
        instancesOf(slices, undefined)
          .map(({ host }) => host)
          .toSorted(),
      )
      reported.wake()
    },
    failed: (reason) => {
      reported.failures.push(reason)
      reported.wake()
    },
  })
  cleanUp(t, () => watch.close())
  return { clock, told: reported, watch }
}

const count = (api: ApiServer, kind: string): number => api.asked.filter((each) => each.kind === kind).length

test('slices are listed in pages, and then watched', async (t) => {
  const api = await startApiServer(t)
  for (let i = 0; i < 501; i++) api.put('shop', slice('users', `users-${i}`, []))
  api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
  api.put('shop', slice('orders', 'orders-a', ['10.0.0.9']))
  api.put('other', slice('users', 'users-a', ['10.0.0.8']))
  const { told } = follow(t, api)
  await told.addresses('10.0.0.1')
  await api.until(() => api.watching === 1)
  api.put('shop', slice('users', 'users-b', ['10.0.0.2', '10.0.0.3']))
  await told.addresses('10.0.0.1', '10.0.0.2', '10.0.0.3')
  api.put('shop', slice('users', 'users-b', ['10.0.0.2']))
  await told.addresses('10.0.0.1', '10.0.0.2')
  api.remove('shop', 'users-a')
  await told.addresses('10.0.0.2')
  assert.deepEqual(
    api.asked.map(({ kind, query }) => [kind, query.get('limit'), query.has('continue')]),
    [
      ['list', '500', false],
      ['list', '500', true],
      ['watch', null, false],
    ],
  )
  const requested = api.asked[2]!.query
  assert.equal(requested.get('labelSelector'), 'kubernetes.io/service-name=users')
  assert.equal(requested.get('allowWatchBookmarks'), 'true')
  assert.equal(requested.get('timeoutSeconds'), '300')
})

test('a watch ended by the server continues from the last bookmark, without a new list', async (t) => {
  const api = await startApiServer(t)
  api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
  const { told, clock } = follow(t, api)
  await api.until(() => api.watching === 1)
  api.put('shop', slice('orders', 'orders-a', ['10.0.0.9']))
  const before = told.known.length
  api.bookmark()
  await told.until(() => told.known.length > before)
  clock.advance(2_000)
  api.end('orderly')
  await api.until(() => count(api, 'watch') === 2)
  assert.equal(count(api, 'list'), 1)
  assert.equal(api.asked.at(-1)!.query.get('resourceVersion'), '1002')
  api.put('shop', slice('users', 'users-a', ['10.0.0.2']))
  await told.addresses('10.0.0.2')
  assert.deepEqual(told.failures, [])
})

test('after 410 Gone slices are listed again, nothing is lost, and it does not count as a failure', async (t) => {
  const api = await startApiServer(t)
  api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
  const { told, clock } = follow(t, api)
  await api.until(() => api.watching === 1)
  clock.advance(2_000)
  api.end('orderly')
  api.compact()
  api.put('shop', slice('users', 'users-a', ['10.0.0.2']))
  await told.addresses('10.0.0.2')
  assert.equal(count(api, 'list'), 2)
  assert.deepEqual(told.failures, [])
  assert.ok(told.known.every((each) => each.length === 1))
})

test('an expired page restarts the list', async (t) => {
  const api = await startApiServer(t)
  for (let i = 0; i < 501; i++) api.put('shop', slice('users', `users-${i}`, i === 500 ? ['10.0.0.1'] : []))
  void api.until(() => count(api, 'list') === 1).then(() => api.compact())
  const { told } = follow(t, api)
  await told.addresses('10.0.0.1')
  assert.equal(count(api, 'list'), 4)
  assert.deepEqual(told.failures, [])
})

test('a renewed token is used for the next request, and a rejected one is reported', async (t) => {
  const api = await startApiServer(t)
  api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
  api.token = 'one'
  const access = { token: 'one' }
  const { told, clock } = follow(t, api, access)
  await api.until(() => api.watching === 1)
  api.token = 'two'
  clock.advance(2_000)
  const armed = clock.armed()
  api.end('orderly')
  await told.until(() => told.failures.length === 1)
  assert.deepEqual(told.failures, ['401: Unauthorized (the API server does not accept the token)'])
  await armed
  access.token = 'two'
  await retry(clock, () => api.watching === 1, api)
  assert.equal(api.asked.at(-1)!.authorization, 'Bearer two')
  assert.deepEqual(told.known.at(-1), ['10.0.0.1'])
})

test('a 403 is reported with the missing Role', async (t) => {
  const api = await startApiServer(t)
  api.refusal = { status: 403, message: 'endpointslices is forbidden' }
  const { told } = follow(t, api)
  await told.until(() => told.failures.length === 1)
  assert.match(told.failures[0]!, /^403: endpointslices is forbidden \(a Role must allow get, list and watch/)
})

test('a failing server is retried with backoff up to 30 seconds, or after Retry-After', async (t) => {
  const api = await startApiServer(t)
  api.refusal = { status: 503, message: 'etcd is away' }
  const { told, clock } = follow(t, api)
  for (const [failures, wait] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    await told.until(() => told.failures.length === failures + 1)
    await turn()
    clock.advance(wait - 1)
    await turn()
    assert.equal(api.asked.length, failures + 1)
    clock.advance(1)
  }
  api.refusal = { status: 429, message: 'later', headers: { 'Retry-After': '29' } }
  await told.until(() => told.failures.length === 8)
  await turn()
  clock.advance(30_000)
  await told.until(() => told.failures.length === 9)
})

for (const [how, breakIt] of [
  ['is reset midway', (api: ApiServer) => api.end('reset')],
  ['sends invalid JSON', (api: ApiServer) => api.write('{"type":\n')],
  ['sends an invalid event', (api: ApiServer) => api.write({ kind: 'Pod' })],
  ['ends within an event', (api: ApiServer) => (api.write('{"type":"ADD'), api.end('orderly'))],
  ['sends an error', (api: ApiServer) => api.write({ type: 'ERROR', object: { code: 500, message: 'no' } })],
] as const)
  test(`a watch that ${how} is reported, and continues after a pause`, async (t) => {
    const api = await startApiServer(t)
    api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
    const { told, clock } = follow(t, api)
    await api.until(() => api.watching === 1)
    breakIt(api)
    await told.until(() => told.failures.length === 1)
    assert.deepEqual(told.known.at(-1), ['10.0.0.1'])
    api.end('reset')
    api.put('shop', slice('users', 'users-a', ['10.0.0.2']))
    await turn()
    clock.advance(1_000)
    await told.addresses('10.0.0.2')
    assert.equal(told.failures.length, 1)
  })

test('a server that does not respond times out', async (t) => {
  const api = await startApiServer(t)
  api.silent = true
  const { told, clock } = follow(t, api)
  await api.until(() => api.asked.length === 1)
  clock.advance(10_000)
  await told.until(() => told.failures.length === 1)
  assert.deepEqual(told.failures, ['no answer within 10000 ms'])
})

test('a watch without events for too long is restarted', async (t) => {
  const api = await startApiServer(t)
  api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
  const { told, clock } = follow(t, api)
  await api.until(() => api.watching === 1)
  await told.until(() => told.known.length === 2)
  clock.advance(150_000)
  await told.until(() => told.failures.length === 1)
  assert.deepEqual(told.failures, ['no data for 150 s'])
  await retry(clock, () => count(api, 'watch') === 2, api)
  assert.equal(count(api, 'list'), 1)
})

test('a server that ends each watch at once is asked once a second', async (t) => {
  const api = await startApiServer(t)
  const { told, clock } = follow(t, api)
  for (let i = 1; i <= 5; i++) {
    await told.until(() => told.known.length === i + 1)
    assert.equal(count(api, 'watch'), i)
    const armed = clock.armed()
    api.end('orderly')
    await armed
    clock.advance(1_000)
  }
  assert.equal(count(api, 'list'), 1)
})

test('nothing is requested after close', async (t) => {
  const api = await startApiServer(t)
  const { told, clock, watch } = follow(t, api)
  await api.until(() => api.watching === 1)
  const [known, asked] = [told.known.length, api.asked.length]
  watch.close()
  clock.advance(600_000)
  await turn()
  api.put('shop', slice('users', 'users-a', ['10.0.0.1']))
  await turn()
  assert.equal(told.known.length, known)
  assert.equal(api.asked.length, asked)
  assert.deepEqual(told.failures, [])
})

/** Everything that is ready has its turn. */
async function turn(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => void setImmediate(resolve))
}

/** Moves the clock on until the pause after a failure is over. */
async function retry(clock: SignallingClock, condition: () => boolean, api: ApiServer): Promise<void> {
  await turn()
  clock.advance(1_000)
  await api.until(condition)
}
