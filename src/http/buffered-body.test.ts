import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { CollectingSink, PartsBody, PushedBody } from '../../test/support/bodies.ts'
import { Budget, Bytes } from './body.ts'
import { DEFAULT_BUFFER_SIZE, BufferedBody } from './buffered-body.ts'
import { Headers } from './headers.ts'

/** Gathers; `got` is what was reported. */
function gather(source: ConstructorParameters<typeof BufferedBody>[0], budget?: Budget) {
  const body = new BufferedBody(source, 'a client', budget)
  const reported: (Bytes | BufferedBody | Error)[] = []
  body.buffer({ buffered: (all) => reported.push(all), broken: (error) => reported.push(error) })
  return { body, reported }
}

test('a body that arrives completely becomes bytes', () => {
  const source = new PushedBody(11)
  const { reported } = gather(source)
  for (const piece of ['a ', 'slow ', 'body']) assert.equal(source.push(piece), true)
  assert.equal(reported.length, 0)
  source.end()
  assert.ok(reported[0] instanceof Bytes)
  assert.equal(reported[0].toLatin1(), 'a slow body')
})

test('only what has arrived counts against the budget, whatever was announced', () => {
  const budget = new Budget(10)
  const source = new PushedBody(60_000)
  gather(source, budget)
  assert.equal(source.push('12345'), true)
  assert.equal(budget.free, 5)
})

test('if the budget is used up the body is streamed, and nothing is lost', () => {
  const source = new PushedBody(20)
  const { body, reported } = gather(source, new Budget(16))
  assert.equal(source.push('1234'), true)
  assert.equal(source.push('56789'), false)
  assert.deepEqual(reported, [body])
  const sink = new CollectingSink()
  body.pipe(sink)
  assert.equal(sink.text, '123456789')
  assert.equal(source.resumed, 1)
  source.push('01234567890')
  source.end()
  assert.equal(sink.text, '12345678901234567890')
  assert.equal(sink.ended, true)
})

test('trailers are kept', () => {
  const source = new PushedBody(-1)
  const { body, reported } = gather(source)
  source.push('body')
  source.end(Headers.of([['X-Sum', '1']]))
  assert.deepEqual(reported, [body])
  const sink = new CollectingSink()
  body.pipe(sink)
  assert.equal(sink.text, 'body')
  assert.equal(sink.trailers?.get('X-Sum'), '1')
})

test('a failure is reported to whoever waits or pipes', () => {
  const [early, between, late] = [new PushedBody(-1), new PushedBody(-1), new PushedBody(-1)]
  const error = new Error('gone')
  const first = gather(early)
  early.sink!.fail(error)
  assert.deepEqual(first.reported, [error])
  const second = gather(between)
  second.body.begin()
  between.sink!.fail(error)
  const third = gather(late)
  third.body.begin()
  const sinks = [new CollectingSink(), new CollectingSink()]
  second.body.pipe(sinks[0]!)
  third.body.pipe(sinks[1]!)
  late.sink!.fail(error)
  assert.deepEqual(
    sinks.map((sink) => sink.error),
    [error, error],
  )
})

test('cancelling cancels the source and returns the budget', () => {
  const budget = new Budget(16)
  const source = new PushedBody(20)
  const { body } = gather(source, budget)
  source.push('12345678')
  body.cancel()
  assert.equal(source.cancelled, true)
  assert.equal(budget.free, 16)
})

/** Takes whatever a body was gathered to, with those answers to its chunks. */
class Taker extends CollectingSink {
  private readonly answers: boolean[]

  constructor(answers: boolean[]) {
    super()
    this.answers = answers
  }

  override write(chunk: Buffer): boolean {
    this.taking = this.answers.shift() ?? true
    return super.write(chunk)
  }

  take(body: Bytes | BufferedBody): void {
    if (body instanceof Bytes) {
      this.write(body.toBuffer())
      return this.end(null)
    }
    body.pipe(this)
  }

  /** Lets it go on until it ends. */
  finish(body: BufferedBody): void {
    while (!this.ended) {
      assert.equal(this.taking, false, 'it continues unless asked to wait')
      body.resume()
    }
  }
}

const part = fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.constant('x'.repeat(DEFAULT_BUFFER_SIZE / 2 + 1)))
const parts = fc.array(part, { maxLength: 6 })
const answers = fc.array(fc.boolean(), { maxLength: 10 })

test('property: any body in any parts is passed on unchanged', () => {
  fc.assert(
    fc.property(parts, fc.boolean(), fc.nat(40), answers, (texts, known, room, taken) => {
      const bytes = texts.map((text) => Buffer.from(text).toString('latin1'))
      const { body, reported } = gather(
        new PartsBody(bytes, known, null),
        new Budget(room < 20 ? room : DEFAULT_BUFFER_SIZE * 2),
      )
      const taker = new Taker(taken)
      const [got] = reported
      assert.ok(got instanceof Bytes || got === body)
      taker.take(got)
      taker.finish(body)
      assert.equal(taker.text, bytes.join(''))
    }),
  )
})

test('property: the same applies if it is piped from within the callback', () => {
  fc.assert(
    fc.property(parts, fc.boolean(), (texts, known) => {
      const bytes = texts.map((text) => Buffer.from(text).toString('latin1'))
      const body = new BufferedBody(new PartsBody(bytes, known, null), 'a client', new Budget(60))
      const taker = new Taker([])
      body.buffer({ buffered: (all) => taker.take(all), broken: assert.fail })
      assert.equal(taker.text, bytes.join(''))
      assert.equal(taker.ended, true)
    }),
  )
})
