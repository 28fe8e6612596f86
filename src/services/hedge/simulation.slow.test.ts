import assert from 'node:assert/strict'
import test from 'node:test'
import { type AttemptsSetUp, makeForm, makeService, ScriptedInstance } from '../../../test/support/attempts.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { seeded } from '../../../test/support/simulation.ts'
import { Bytes } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import type { Lane, LanePool, ReplyListener } from '../../http/lane.ts'
import { ClosedBeforeReply } from '../../http/lane-errors.ts'
import { PendingReply } from '../../http/pending-reply.ts'
import { Reply } from '../../http/reply.ts'
import { Attempts } from '../attempts.ts'
import type { PooledInstance } from '../pooled-instance.ts'

const INSTANCES = 4
/** Requests in a millisecond. */
const RATE = 1

/** Takes so long for the request, unless it is called off. */
class SlowLane implements Lane {
  private readonly clock: ManualClock
  private readonly time: number
  private callOff: () => void = () => {}

  constructor(clock: ManualClock, time: number) {
    this.clock = clock
    this.time = time
  }

  exchange(_: unknown, listener: ReplyListener): void {
    const end = this.clock.after(this.time, () => {
      listener.replied(new Reply(200, Headers.of(), Bytes.fromLatin1('')), false)
      listener.finished()
    })
    this.callOff = () => {
      end()
      listener.finished()
      listener.failed(new ClosedBeforeReply(false, false, null))
    }
  }

  cancel(): void {
    this.callOff()
  }

  giveBack(): void {}
}

class SlowInstance extends ScriptedInstance {
  asked = 0
  override readonly pool: Pick<LanePool, 'take' | 'acquire'>

  constructor(slot: number, clock: ManualClock, time: () => number) {
    super(slot)
    this.pool = {
      take: () => {
        this.asked++
        return new SlowLane(clock, time())
      },
      acquire: () => Promise.reject(new Error('there always is one')),
    }
  }
}

/** Half a minute of requests after a minute, by how long they took, shortest first; and how many were sent for each. */
function simulate(hedge: NonNullable<AttemptsSetUp['hedge']>, time: (random: () => number, now: number) => number) {
  const clock = new ManualClock()
  const random = seeded(5)
  const instances = Array.from(
    { length: INSTANCES },
    (_, slot) => new SlowInstance(slot, clock, () => time(random, clock.now())),
  )
  const { service } = makeService(instances, clock, { hedge })
  const pick = (_: unknown, tried: readonly PooledInstance[] | null): SlowInstance => {
    const left = instances.filter(({ slot }) => !(tried ?? []).some((each) => each.slot === slot))
    return left[Math.floor(random() * left.length)]!
  }
  Object.assign(service, { balancer: { pick } })
  const form = makeForm()
  const took: number[] = []
  let measured = false
  class Measured extends PendingReply {
    private readonly since = clock.now()

    override settle(reply: Reply): void {
      if (measured) took.push(clock.now() - this.since)
      super.settle(reply)
    }
  }
  const arrive = (): void => {
    clock.after(-Math.log(1 - random()) / RATE, arrive)
    const exchange = makeExchange()
    new Attempts(service, form, exchange.path, exchange, new Measured(exchange)).begin()
  }
  arrive()
  clock.advance(60_000)
  measured = true
  const before = instances.reduce((sum, { asked }) => sum + asked, 0)
  clock.advance(30_000)
  const sent = instances.reduce((sum, { asked }) => sum + asked, 0) - before
  const sorted = took.toSorted((a, b) => a - b)
  return {
    p50: sorted[sorted.length >> 1]!,
    p999: sorted[Math.floor(sorted.length * 0.999)]!,
    sent: sent / took.length,
  }
}

/** Some 10 ms, and one of a hundred takes a second. */
const stalls = (random: () => number): number => (random() < 0.01 ? 1_000 : 5 - 5 * Math.log(1 - random()))

function assertNear(measured: number, expected: number): void {
  assert.ok(Math.abs(measured / expected - 1) <= 0.1, `${measured} is not ${expected}, give or take 10%`)
}

test('without hedging, requests that stall dominate the tail', () => {
  const { p50, p999, sent } = simulate(false, stalls)
  assertNear(p999, 1_000)
  assertNear(p50, 8.5)
  assert.equal(Math.round(sent * 100), 100)
})

test('with hedging the tail is about twice the usual time, for few additional requests', () => {
  const fixed = simulate({ after: '25ms' }, stalls)
  assertNear(fixed.p999, 41)
  assertNear(fixed.sent, 1.03)
  assertNear(fixed.p50, 8.5)
  const percentile = simulate({}, stalls)
  assertNear(percentile.p999, 39)
  assert.ok(percentile.sent <= 1.055, `${percentile.sent}`)
})

test('a service that is slow as a whole gets only as many additional requests as the budget allows', () => {
  const { sent } = simulate({ after: '25ms' }, (random, now) => (now < 60_000 ? stalls(random) : 200 + 100 * random()))
  assert.ok(sent <= 1.07, `${sent}`)
})
