import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Acme, type Target } from '../../src/acme/acme.ts'
import type { Challenge } from '../../src/acme/challenge.ts'
import { FileStore } from '../../src/acme/file-store.ts'
import type { Pace } from '../../src/acme/certificate-renewer.ts'
import { certificateId } from '../../src/acme/renewal-info.ts'
import { Records } from '../../src/acme/records.ts'
import { Seal } from '../../src/core/seal.ts'
import type { AcmeStore } from '../../src/acme/store.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { RedisAcmeStore } from '../../src/acme/redis-store.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { cleanUp } from '../support/cleanup.ts'
import { TestLog } from '../support/gateway.ts'
import { DUE, type Pebble, type PebbleOptions, startDns, startPebble, withRenewalInfo } from '../support/pebble.ts'
import { connectTo, freePorts, type RedisServer, startRedis, until } from '../support/redis.ts'

const NAME = 'shop.test'
const PACE: Pace = { poll: 50, lock: 1000, delays: [300] }
const KEYS = [randomBytes(32)]
/** The lifetime of a certificate in seconds: as long as a test may take. */
const LIFE = 60

/** The address that the CA validates: it forwards to any of the gateways. */
async function startAnswers(t: TestContext) {
  const [port] = await freePorts(1)
  const shown: (() => readonly Challenge[])[] = []
  const server = createServer(({ url = '' }, response) => {
    const token = url.split('/').at(-1)
    const found = shown.flatMap((each) => each()).find((each) => each.token === token)
    response.writeHead(found === undefined ? 404 : 200)
    response.end(found?.keyAuthorization)
  })
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  cleanUp(t, () => void server.close())
  return { port: port!, shown }
}

type Answers = Awaited<ReturnType<typeof startAnswers>>

async function startCa(t: TestContext, options: PebbleOptions = {}) {
  const answers = await startAnswers(t)
  const pebble = await startPebble(t, await startDns(t), { httpPort: answers.port, ...options })
  return { answers, pebble }
}

interface Opened {
  readonly acme: Acme
  readonly log: TestLog
  readonly outcomes: string[]
  readonly challenges: () => readonly Challenge[]
}

interface OpenOptions {
  readonly store: AcmeStore
  readonly pebbles: readonly Pick<Pebble, 'directory' | 'ca'>[]
  readonly answers?: Answers
  readonly keys?: readonly Buffer[]
  readonly clock?: Clock
  /** Called and awaited before challenges are published. */
  readonly before?: (shown: readonly Challenge[]) => Promise<void>
}

async function open(t: TestContext, options: OpenOptions): Promise<Opened> {
  const { store, pebbles, answers, keys = KEYS, clock = systemClock, before } = options
  const log = new TestLog(systemClock)
  const outcomes: string[] = []
  let challenges: readonly Challenge[] = []
  answers?.shown.push(() => challenges)
  const target: Target = {
    name: NAME,
    challenge: 'http-01',
    dns: null,
    authorities: pebbles.map(({ directory: url, ca }) => ({ url, ca, email: undefined, external: undefined })),
  }
  const acme = new Acme({
    targets: [target],
    store,
    seal: new Seal({ keys, acceptsPlain: false }),
    clock,
    random: Math.random,
    log: log.log,
    pace: PACE,
    show: async (shown) => {
      await before?.(shown)
      challenges = shown
    },
    changed: () => {},
    ordered: (_, outcome) => void outcomes.push(outcome),
  })
  cleanUp(t, () => acme.stop())
  await acme.load()
  return { acme, log, outcomes, challenges: () => challenges }
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-shared-'))
  cleanUp(t, () => rm(path, { recursive: true }))
  return path
}

async function redisStore(server: RedisServer): Promise<AcmeStore> {
  const client = connectRedis({ place: { url: server.url }, tls: false, timeout: 1000 })
  await until('Redis', () => client.status === 'ready')
  return new RedisAcmeStore(client)
}

const serial = ({ acme }: Opened): string | null => acme.certificate(NAME)?.leaf.serialNumber ?? null

/** The system clock until it is stopped: then no timer fires any more, as in a process that hangs. */
class StoppableClock implements Clock {
  stopped = false
  now = () => systemClock.now()
  wall = () => systemClock.wall()
  every = (ms: number, task: () => void) => systemClock.every(ms, task)
  private readonly late: (() => void)[] = []

  after(ms: number, task: () => void): () => void {
    return systemClock.after(ms, () => {
      if (this.stopped) this.late.push(task)
      else task()
    })
  }

  resume(): void {
    this.stopped = false
    for (const task of this.late.splice(0)) task()
  }
}

test('after a restart, a certificate from files is available at once and not ordered again', async (t) => {
  const { answers, pebble } = await startCa(t)
  const place = await folder(t)
  const first = await open(t, { store: new FileStore(place, systemClock), pebbles: [pebble], answers })
  first.acme.start()
  await until('a certificate', () => serial(first) !== null)
  await first.acme.stop()
  await pebble.kill()
  const second = await open(t, { store: new FileStore(place, systemClock), pebbles: [pebble], answers })
  assert.equal(serial(second), serial(first))
  second.acme.start()
  await until('the check for renewal', () => second.acme.successful(NAME))
  assert.deepEqual(second.outcomes, [])
})

test('one of two gateways on one Redis orders the certificate, and both can answer the challenge', async (t) => {
  const { answers, pebble } = await startCa(t)
  const server = await startRedis(t)
  const a = await open(t, { store: await redisStore(server), pebbles: [pebble] })
  const b = await open(t, { store: await redisStore(server), pebbles: [pebble] })
  // The CA validates against the one that does not order.
  answers.shown.push(() => b.challenges())
  a.acme.start()
  const client = connectTo(t, server)
  await until('the order', async () => (await client.exists(`sallyport:acme:{${NAME}}:lock`)) === 1)
  b.acme.start()
  await until('the certificate in both', () => serial(a) !== null && serial(b) !== null)
  await until('the end of the order', () => a.outcomes.length + b.outcomes.length > 0)
  assert.equal(serial(a), serial(b))
  assert.deepEqual([a.outcomes, b.outcomes], [['issued'], []])
})

test('keys in Redis are encrypted, and a certificate that cannot be decrypted is not replaced', async (t) => {
  const { answers, pebble } = await startCa(t)
  const server = await startRedis(t)
  const a = await open(t, { store: await redisStore(server), pebbles: [pebble], answers })
  a.acme.start()
  await until('a certificate', () => serial(a) !== null)
  const client = connectTo(t, server)
  const keys = await client.keys('*')
  assert.ok(keys.includes(`sallyport:acme:{${NAME}}:certificate`), keys.join())
  for (const key of keys) {
    if ((await client.type(key)) !== 'string') continue
    const value = (await client.get(key))!
    const bytes = Buffer.from(value.replace('sealed.1.', ''), 'base64url').toString('latin1')
    assert.doesNotMatch(value + bytes, /PRIVATE|CERTIFICATE|"key"/, key)
  }
  const stranger = await open(t, {
    store: await redisStore(server),
    pebbles: [pebble],
    answers,
    keys: [randomBytes(32)],
  })
  stranger.acme.start()
  const line = await stranger.log.line({ message: 'A certificate cannot be managed' })
  assert.match(JSON.stringify(line), /cannot be decrypted with the secrets of the configuration/)
  assert.deepEqual([serial(stranger), stranger.outcomes], [null, []])
  // It can once the secret that sealed the data follows another one.
  const changed = [randomBytes(32), ...KEYS]
  const other = await open(t, { store: await redisStore(server), pebbles: [pebble], answers, keys: changed })
  assert.equal(serial(other), serial(a))
})

test('forged challenges in Redis are not answered', async (t) => {
  const { pebble } = await startCa(t)
  const server = await startRedis(t)
  const [a, b] = [await redisStore(server), await redisStore(server)]
  cleanUp(t, () => a.close())
  const forged = { type: 'http-01', domain: NAME, token: 'a-token-of-somebody-else', keyAuthorization: 'x.y' } as const
  await a.present(forged, 60_000)
  const own = new Records(a, new Seal({ keys: KEYS, acceptsPlain: false }))
  await own.present({ ...forged, token: 'our-own-token' }, 60_000)
  const { challenges } = await open(t, { store: b, pebbles: [pebble] })
  assert.deepEqual(challenges(), [{ ...forged, token: 'our-own-token' }])
})

test('if the holder of the lock hangs during an order, another gateway orders, and late writes of the first one are rejected', async (t) => {
  const { answers, pebble } = await startCa(t)
  const server = await startRedis(t)
  const clock = new StoppableClock()
  const resumed = Promise.withResolvers<void>()
  let hung = false
  const before = (shown: readonly Challenge[]): Promise<void> => {
    if (shown.length === 0) return Promise.resolve()
    hung = clock.stopped = true
    return resumed.promise
  }
  const a = await open(t, { store: await redisStore(server), pebbles: [pebble], answers, clock, before })
  a.acme.start()
  await until('the order', () => hung)
  const b = await open(t, { store: await redisStore(server), pebbles: [pebble], answers })
  b.acme.start()
  await until('a certificate', () => serial(b) !== null && b.outcomes.length > 0)
  assert.deepEqual(b.outcomes, ['issued'])
  const issued = serial(b)
  clock.resume()
  resumed.resolve()
  await until('the certificate in both', () => serial(a) === issued)
  assert.deepEqual([serial(b), a.outcomes], [issued, []])
  const line = await a.log.line({ message: 'A certificate cannot be managed' })
  assert.match(JSON.stringify(line), /lock was lost|taken over/)
})

test('certificates are renewed before they expire, and stay in use while the CA is down', async (t) => {
  const { answers, pebble } = await startCa(t, { validity: LIFE })
  // Each is renewed as soon as possible, at a tenth of its lifetime: the rest is for slow machines.
  const ca = await withRenewalInfo(t, pebble, () => DUE)
  const store = new FileStore(await folder(t), systemClock)
  const a = await open(t, { store, pebbles: [ca], answers })
  a.acme.start()
  await until('a certificate', () => serial(a) !== null)
  for (let renewals = 0; renewals < 2; renewals++) {
    const { leaf, notAfter } = a.acme.certificate(NAME)!
    await until('the renewed certificate', () => serial(a) !== leaf.serialNumber)
    assert.ok(Date.now() < notAfter)
  }
  await pebble.kill()
  await until('a failure', () => a.outcomes.includes('failed'))
  assert.notEqual(serial(a), null)
  assert.equal(a.acme.successful(NAME), false)
  const before = serial(a)
  await pebble.start()
  await until('the renewed certificate', () => serial(a) !== before)
})

test('a certificate is renewed when its CA suggests it, and the order names the certificate that it replaces', async (t) => {
  const { answers, pebble } = await startCa(t, { validity: LIFE })
  const { asked, ...ca } = await withRenewalInfo(t, pebble, () => DUE)
  const store = new FileStore(await folder(t), systemClock)
  const a = await open(t, { store, pebbles: [ca], answers })
  a.acme.start()
  await until('a certificate', () => serial(a) !== null)
  const first = a.acme.certificate(NAME)!
  await until('the renewed certificate', () => serial(a) !== first.leaf.serialNumber)
  assert.equal(asked[0], certificateId(first.leaf))
  // Without a suggestion it would have been after two thirds of its lifetime.
  const { issued } = a.acme.certificate(NAME)!
  assert.ok(issued < first.notBefore + (first.notAfter - first.notBefore) / 2)
})

test('the second CA is used while the first one is down', async (t) => {
  const { answers, pebble } = await startCa(t)
  const other = await startPebble(t, await startDns(t), { httpPort: answers.port })
  await pebble.kill()
  const a = await open(t, { store: new FileStore(await folder(t), systemClock), pebbles: [pebble, other], answers })
  a.acme.start()
  await until('a certificate', () => serial(a) !== null && a.outcomes.length > 1)
  assert.equal(a.acme.certificate(NAME)!.directory, other.directory)
  assert.deepEqual(a.outcomes, ['failed', 'issued'])
})
