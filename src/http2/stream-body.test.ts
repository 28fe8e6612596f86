import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Budget } from '../http/body.ts'
import { type BodyOwner, StreamBody } from './stream-body.ts'

/** The stream of a body: counts what was given back. */
class Owner implements BodyOwner {
  taken = 0
  abandoned = 0

  bodyWanted(): void {}

  bodyTaken(bytes: number): void {
    this.taken += bytes
  }

  bodyAwaitsPeer(): void {}

  bodyRests(): void {}

  bodyAbandoned(): void {
    this.abandoned++
  }
}

const MAX = 10_000

function setUp() {
  const owner = new Owner()
  const budget = new Budget(MAX)
  const overLimit = (): Error => new Error('too large')
  const body = new StreamBody(owner, { length: -1, client: 'a client', limit: 5000, overLimit, budget })
  return { owner, body, isFree: () => budget.free === MAX }
}

test('when a body fails, the window for data in use is returned', () => {
  const { owner, body, isFree } = setUp()
  body.pipe({ write: () => false, end: () => {}, fail: () => {} })
  body.push(Buffer.alloc(100))
  body.push(Buffer.alloc(50))
  assert.equal(owner.taken, 0)
  body.fail(new Error('the client has left'))
  assert.equal(owner.taken, 150)
  assert.ok(isFree())
})

test('when a body is cancelled, the window for data in use is returned', () => {
  const { owner, body, isFree } = setUp()
  body.pipe({ write: () => false, end: () => {}, fail: () => {} })
  body.push(Buffer.alloc(100))
  body.cancel()
  assert.equal(owner.taken, 100)
  body.resume()
  assert.equal(owner.taken, 100)
  assert.ok(isFree())
})

type Act = { readonly push: number } | 'complete' | 'fail' | 'pipe' | 'resume' | 'cancel'

test('tiny pieces that wait are merged into a few large ones', () => {
  const owner = new Owner()
  const overLimit = (): Error => new Error('too large')
  const body = new StreamBody(owner, { length: -1, client: 'a client', limit: 100_000, overLimit })
  for (let n = 0; n < 65_535; n++) body.push(Buffer.from([n % 251]))
  const written: Buffer[] = []
  body.pipe({ write: (chunk) => written.push(Buffer.from(chunk)) > 0, end: () => {}, fail: () => {} })
  assert.equal(written.length, 4)
  assert.deepEqual(Buffer.concat(written), Buffer.from(Array.from({ length: 65_535 }, (_, n) => n % 251)))
})

/** Does what may be done of those acts, and ends the body if they do not; answers with all bytes that came. */
function perform(
  body: StreamBody,
  acts: readonly Act[],
  answers: readonly boolean[],
): { pushed: number; ended: number; written: string; came: string } {
  const seen = { pushed: 0, ended: 0, written: '', came: '' }
  let [calls, lent, piped, complete] = [0, false, false, false]
  const sink = {
    write(chunk: Buffer): boolean {
      assert.equal(lent, false, 'nothing is written before the last chunk is released')
      assert.equal(seen.ended, 0, 'nothing follows the end')
      seen.written += chunk.toString('latin1')
      lent = answers[calls++ % answers.length] === false
      return !lent
    },
    end: () => void seen.ended++,
    fail: () => void seen.ended++,
  }
  for (const act of [...acts, 'fail'] as const) {
    if (typeof act === 'object') {
      if (complete) continue
      const chunk = Buffer.alloc(act.push, 97 + (seen.pushed % 26))
      seen.pushed += act.push
      seen.came += chunk.toString('latin1')
      body.push(chunk)
      chunk.fill('!')
    } else if (act === 'complete' && !complete) {
      complete = true
      body.complete(null)
    } else if (act === 'pipe' && !piped) {
      piped = true
      body.pipe(sink)
    } else if (act === 'resume' && lent) {
      lent = false
      body.resume()
    } else if (act === 'fail') body.fail(new Error('the client has left'))
    else if (act === 'cancel') body.cancel()
  }
  return seen
}

test('property: every byte is returned to the window once, and data arrives in order', () => {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 2000 }).map((push) => ({ push })) },
    { weight: 4, arbitrary: fc.constantFrom<Act>('resume') },
    { weight: 1, arbitrary: fc.constantFrom<Act>('complete', 'fail', 'pipe', 'pipe', 'cancel') },
  )
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 30 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      (acts, answers) => {
        const { owner, body, isFree } = setUp()
        const { pushed, ended, written, came } = perform(body, acts, answers)
        assert.ok(came.startsWith(written))
        assert.ok(ended <= 1, 'the end is reported once')
        // The last chunk of a body that has ended is its sink's until that gives it back.
        body.resume()
        assert.equal(owner.taken, pushed)
        assert.ok(isFree())
      },
    ),
    { numRuns: 3000 },
  )
})
