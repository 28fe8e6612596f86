import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Authority } from '../../test/support/certificates.ts'
import { cleanUp } from '../../test/support/cleanup.ts'
import { TestLog } from '../../test/support/gateway.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { turnUntil } from '../../test/support/settled.ts'
import { AcmeError } from './acme-error.ts'
import { usualDelays } from './attempts.ts'
import type { Solver } from './challenge.ts'
import { FileStore } from './file-store.ts'
import { type Issuing, CertificateRenewer } from './certificate-renewer.ts'
import { Records } from './records.ts'
import type { RenewalInfo } from './renewal-info.ts'
import { Reports } from './reports.ts'
import { Seal } from '../core/seal.ts'
import { Semaphore } from '../core/semaphore.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LIFE = 90 * DAY
const START = Date.UTC(2026, 5, 1)

const idle: Solver = { type: 'http-01', present: () => Promise.resolve(() => Promise.resolve()) }

/** A CA whose answers the test determines. */
class FakeCa implements Issuing {
  readonly url: string
  orders = 0
  error: Error | null = null
  info: RenewalInfo | null = null
  readonly replaced: (string | null)[] = []
  /** What it gives instead of a good certificate. */
  given: (() => { cert: string; key: string }) | null = null
  readonly authority: Authority
  private readonly clock: ManualClock

  constructor(clock: ManualClock, url: string) {
    this.clock = clock
    this.url = url
    this.authority = new Authority({ notBefore: START - DAY, notAfter: START + 1000 * DAY })
  }

  issue(names: readonly string[], _: Solver, { replaces }: { replaces: string | null }) {
    this.orders++
    this.replaced.push(replaces)
    if (this.error !== null) return Promise.reject(this.error)
    if (this.given !== null) return Promise.resolve(this.given())
    const now = this.clock.wall()
    return Promise.resolve(this.authority.issue({ names, notBefore: now, notAfter: now + LIFE }))
  }

  renewalInfo(): Promise<RenewalInfo | null> {
    return Promise.resolve(this.info)
  }
}

async function setUp(t: TestContext, random = 0.5) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-keeper-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const clock = new ManualClock(START)
  const store = new FileStore(folder, clock)
  const log = new TestLog(clock)
  const [ca, other] = [new FakeCa(clock, 'https://ca.test/dir'), new FakeCa(clock, 'https://other.test/dir')]
  const outcomes: string[] = []
  const open = (authorities: readonly Issuing[] = [ca], itsClock = clock, turns = new Semaphore(1)) => {
    const ending = new AbortController()
    const keeper = new CertificateRenewer({
      name: 'shop.test',
      authorities,
      solver: idle,
      records: new Records(store, new Seal({ keys: [], acceptsPlain: true })),
      turns,
      clock: itsClock,
      random: () => random,
      reports: new Reports('shop.test', 'http-01', log.log, clock),
      pace: { poll: 1000, lock: 15_000, delays: usualDelays },
      ending: ending.signal,
      changed: () => {},
      ordered: (outcome) => void outcomes.push(outcome),
    })
    keeper.start()
    const close = async () => {
      ending.abort()
      await keeper.stop()
    }
    cleanUp(t, close)
    return { keeper, close }
  }
  /** Lets time pass in small steps, in each of which everything that is due is done. */
  const pass = async (keeper: CertificateRenewer, ms: number, step = ms) => {
    for (let left = ms; left > 0; left -= step) {
      clock.advance(Math.min(left, step))
      await idleAgain(keeper)
    }
  }
  return { clock, store, log, ca, other, outcomes, open, pass }
}

async function idleAgain(keeper: CertificateRenewer): Promise<void> {
  await turnUntil('the keeper to be idle', () => Reflect.get(keeper, 'working') === null)
}

test('a certificate is ordered at once, and renewed at two thirds of its life', async (t) => {
  const { ca, open, pass, outcomes } = await setUp(t, 0)
  const { keeper } = open()
  await pass(keeper, 1)
  const first = keeper.current!
  assert.deepEqual([ca.orders, outcomes, first.directory], [1, ['issued'], ca.url])
  await pass(keeper, 59 * DAY, 6 * HOUR)
  await pass(keeper, DAY - MINUTE, 59 * MINUTE)
  assert.equal(ca.orders, 1)
  await pass(keeper, 2 * MINUTE, MINUTE)
  assert.equal(ca.orders, 2)
  assert.notEqual(keeper.current!.leaf.serialNumber, first.leaf.serialNumber)
  // It is named as the one that is replaced: RFC 9773 section 5.
  assert.equal(ca.replaced[0], null)
  assert.match(ca.replaced[1]!, /^[\w-]{27}\.[\w-]+$/)
})

test('a certificate is not ordered again after a restart', async (t) => {
  const { ca, open, pass } = await setUp(t)
  const first = open()
  await pass(first.keeper, 1)
  await first.close()
  const { keeper } = open()
  await pass(keeper, DAY, 59 * MINUTE)
  assert.equal(ca.orders, 1)
  assert.equal(keeper.current!.leaf.serialNumber, first.keeper.current!.leaf.serialNumber)
})

test('a certificate is renewed when the CA suggests it, but only once per suggestion', async (t) => {
  const { ca, clock, open, pass } = await setUp(t)
  const { keeper } = open()
  await pass(keeper, 1)
  const [start, end] = [clock.wall() + 10 * DAY, clock.wall() + 12 * DAY]
  ca.info = { start, end, again: 6 * 60 * MINUTE }
  await pass(keeper, 11 * DAY - 60 * MINUTE, 59 * MINUTE)
  assert.equal(ca.orders, 1)
  await pass(keeper, 3 * 60 * MINUTE, 59 * MINUTE)
  assert.equal(ca.orders, 2)
  // The same is said of the new one: a CA that is wrong is not asked for one after the other.
  await pass(keeper, 3 * DAY, 59 * MINUTE)
  assert.equal(ca.orders, 2)
})

test('the answer about a certificate that another gateway replaced meanwhile does not make the new one due', async (t) => {
  const { ca, clock, open, pass } = await setUp(t)
  const first = open()
  await pass(first.keeper, 1)
  const slow = Promise.withResolvers<RenewalInfo>()
  // Another gateway asks about the first certificate, and waits long for the answer.
  const answers: Promise<RenewalInfo>[] = [slow.promise]
  const renewalInfo = () => answers.shift() ?? Promise.resolve(null)
  const asking: Issuing = { url: ca.url, issue: (...order) => ca.issue(...order), renewalInfo }
  const second = open([asking])
  clock.advance(1)
  await turnUntil('the second gateway to have it', () => second.keeper.current !== null)
  await pass(first.keeper, 61 * DAY, 6 * HOUR)
  assert.equal(ca.orders, 2)
  await second.keeper.refresh()
  slow.resolve({ start: START, end: START, again: HOUR })
  await pass(second.keeper, 10 * DAY, 6 * HOUR)
  assert.equal(ca.orders, 2)
  assert.equal(second.keeper.current!.leaf.serialNumber, first.keeper.current!.leaf.serialNumber)
})

test('after failures the delay increases, also across restarts', async (t) => {
  const { ca, open, pass, clock, log } = await setUp(t)
  ca.error = new AcmeError('http-01 challenge of shop.test: connection refused (connection)', 'connection')
  const begin = clock.wall()
  const at: number[] = []
  let { keeper, close } = open()
  let seen = 0
  const elapsed = () => Math.round((clock.wall() - begin) / MINUTE)
  for (let i = 0; i < 12 * 60; i++) {
    await pass(keeper, MINUTE)
    if (ca.orders === seen) continue
    seen = ca.orders
    at.push(elapsed())
    await close()
    ;({ keeper, close } = open())
  }
  // 1, 5, 15, 60, 180 and 360 minutes after one another.
  assert.deepEqual(at, [1, 2, 7, 22, 82, 262, 622])
  const line = await log.line({ message: 'A CA has not issued a certificate' })
  assert.match(
    String(line['advice']),
    /cannot connect to shop\.test: make sure that port 80, without TLS, reaches this gateway/,
  )
  await log.line({ message: 'No certificate yet: handshakes are refused', level: 'error' })
})

test('an order that kills its process is repeated at once, but not forever', async (t) => {
  const { ca, clock, open, pass } = await setUp(t)
  const orders: number[] = []
  for (let crashes = 0; crashes < 3; crashes++) {
    const before = ca.orders
    // The clock of a process that was killed stands still: it neither keeps its lock nor gives it back.
    const itsClock = new ManualClock(clock.wall())
    const { keeper } = open([blocked(ca)], itsClock)
    itsClock.advance(1)
    const waits = () => Reflect.get(keeper, 'working') === null
    await turnUntil('the order or the delay', () => ca.orders > before || waits())
    orders.push(ca.orders)
    clock.advance(16_000)
  }
  assert.deepEqual(orders, [1, 2, 2])
  const { keeper } = open()
  await pass(keeper, MINUTE, 1000)
  assert.equal(ca.orders, 3)
  assert.equal(keeper.successful, true)
})

/** A CA in the middle of whose orders the process ends. */
function blocked(ca: FakeCa): Issuing {
  return {
    url: ca.url,
    renewalInfo: () => Promise.resolve(null),
    issue: (_names, _solver, { ending }) => {
      ca.orders++
      return new Promise((_, reject) => ending.addEventListener('abort', () => reject(new Error('killed'))))
    },
  }
}

test('if a CA rejects the order the next one is used, and a rate limit is respected', async (t) => {
  const { ca, other, open, pass, log } = await setUp(t)
  ca.error = new AcmeError('too many certificates (rateLimited)', 'rateLimited', 7 * DAY)
  const { keeper } = open([ca, other])
  await pass(keeper, 1)
  assert.deepEqual([ca.orders, other.orders, keeper.current!.directory], [1, 1, other.url])
  const line = await log.line({ message: 'A CA has not issued a certificate' })
  assert.equal(line['limited_until'], '2026-06-08T00:00:00.001Z')
})

test('if all CAs are rate-limited, nothing is ordered until the limits end', async (t) => {
  const { ca, open, pass } = await setUp(t)
  ca.error = new AcmeError('too many certificates (rateLimited)', 'rateLimited', 2 * DAY)
  const { keeper } = open()
  await pass(keeper, 2 * DAY - MINUTE, 59 * MINUTE)
  assert.equal(ca.orders, 1)
  ca.error = null
  await pass(keeper, 2 * 60 * MINUTE, 30 * MINUTE)
  assert.equal(ca.orders, 2)
  assert.equal(keeper.successful, true)
})

test('failures while the clock was wrong do not delay orders after it is corrected', async (t) => {
  const { ca, clock, open, pass } = await setUp(t)
  clock.step(365 * DAY)
  ca.error = new AcmeError('too many certificates (rateLimited)', 'rateLimited', 2 * DAY)
  const { keeper } = open()
  await pass(keeper, 1)
  clock.step(-365 * DAY)
  ca.error = null
  await pass(keeper, 2 * 60 * MINUTE, 30 * MINUTE)
  assert.equal(keeper.successful, true)
})

test('an order still queued when the gateway stops does not count as an attempt', async (t) => {
  const { ca, clock, store, open } = await setUp(t)
  const turns = new Semaphore(1)
  const { promise: busy, resolve: done } = Promise.withResolvers<void>()
  const other = turns.run(() => busy)
  const { close } = open([ca], clock, turns)
  clock.advance(1)
  await turnUntil('the order to be queued', () => turns.length === 2)
  const closed = close()
  done()
  await Promise.all([other, closed])
  assert.equal(await store.read('shop.test', 'attempts'), null)
})

test('a certificate that cannot be renewed stays in use until it expires, which is logged as an error', async (t) => {
  const { ca, open, pass, log } = await setUp(t)
  const { keeper } = open()
  await pass(keeper, 1)
  const { serialNumber } = keeper.current!.leaf
  ca.error = new AcmeError('ca.test cannot be reached')
  await pass(keeper, 70 * DAY, DAY)
  await log.line({ message: 'A certificate could not be renewed yet; it is used until it expires', level: 'warn' })
  assert.equal(keeper.successful, false)
  await pass(keeper, 15 * DAY, DAY)
  await log.line({ message: 'A certificate expires soon, and no CA has issued another one', level: 'error' })
  await pass(keeper, 6 * DAY, DAY)
  await log.line({ message: 'A certificate has expired, and no CA has issued another one', level: 'error' })
  assert.equal(keeper.current!.leaf.serialNumber, serialNumber)
  ca.error = null
  await pass(keeper, DAY, 6 * HOUR)
  assert.notEqual(keeper.current!.leaf.serialNumber, serialNumber)
})

test('a certificate of a CA that is no longer configured is replaced, as after a test with a staging CA', async (t) => {
  const { ca, other, clock, open, pass } = await setUp(t)
  const first = open([ca])
  await pass(first.keeper, 1)
  await first.close()
  const { keeper } = open([other])
  await pass(keeper, 9 * MINUTE, MINUTE)
  assert.deepEqual([other.orders, keeper.current!.directory], [0, ca.url])
  await pass(keeper, 2 * MINUTE, MINUTE)
  assert.deepEqual([other.orders, keeper.current!.directory], [1, other.url])
  assert.deepEqual(other.replaced, [null])
  const { issued } = keeper.current!
  // A gateway that has not heard of the change yet, and one that has, take turns no faster than that.
  const late = open([ca])
  while (ca.orders === 1) {
    clock.advance(30_000)
    await idleAgain(late.keeper)
    await idleAgain(keeper)
  }
  assert.ok(clock.wall() - issued >= 10 * MINUTE)
})

const NEVER = Date.UTC(2000, 0, 1)

for (const [what, give] of [
  ['HTML', (ca) => ({ cert: '<html>maintenance</html>', key: good(ca).key })],
  ['a certificate for another key', (ca) => ({ cert: good(ca).cert, key: good(ca).key })],
  ['a certificate for another name', (ca) => good(ca, { names: ['other.test'] })],
  ['an expired certificate', (ca) => good(ca, { notBefore: NEVER, notAfter: START - 1 })],
] satisfies [string, (ca: FakeCa) => { cert: string; key: string }][])
  test(`${what} is rejected as a certificate: it replaces none, and orders back off`, async (t) => {
    const { ca, open, pass, outcomes, log } = await setUp(t, 0)
    const { keeper } = open()
    await pass(keeper, 1)
    const before = keeper.current!
    ca.given = () => give(ca)
    await pass(keeper, 59 * DAY, 6 * HOUR)
    await pass(keeper, 2 * DAY, 59 * MINUTE)
    assert.equal(keeper.current, before)
    assert.ok(ca.orders < 12, `${ca.orders}`)
    assert.ok(outcomes.slice(1).every((outcome) => outcome === 'failed'))
    await log.line({ message: 'A CA has not issued a certificate' })
    // Nor is it what others read, or the next process.
    const next = open()
    await pass(next.keeper, 1)
    assert.equal(next.keeper.current?.leaf.serialNumber, before.leaf.serialNumber)
  })

test('a certificate received late in its life is not renewed in a loop', async (t) => {
  const { ca, open, pass } = await setUp(t, 0)
  ca.given = () => good(ca, { notBefore: START - 80 * DAY, notAfter: START + 10 * DAY })
  const { keeper } = open()
  await pass(keeper, 60 * MINUTE, MINUTE)
  assert.equal(ca.orders, 1)
  await pass(keeper, 7 * DAY, 59 * MINUTE)
  assert.equal(ca.orders, 2)
})

function good(ca: FakeCa, options: object = {}): { cert: string; key: string } {
  return ca.authority.issue({ names: ['shop.test'], notBefore: START, notAfter: START + LIFE, ...options })
}
