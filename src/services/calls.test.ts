import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink, PushedBody } from '../../test/support/bodies.ts'
import { type AttemptsSetUp, received, ScriptedInstance, setUpAttempts } from '../../test/support/attempts.ts'
import { GrpcCall } from '../grpc/call.ts'
import type { Body } from '../http/body.ts'
import { isStream } from '../http/body.ts'
import { BufferedBody } from '../http/buffered-body.ts'
import { Headers } from '../http/headers.ts'
import { ClosedWithinReply } from '../http/lane-errors.ts'
import { Reply } from '../http/reply.ts'

/** A call that its client gives so many milliseconds. */
function setUpCall(set: { timeout?: number; body?: Body; instances?: number } & AttemptsSetUp = {}) {
  const { timeout = Number.POSITIVE_INFINITY, body = null, instances: count = 1 } = set
  const instances = Array.from({ length: count }, (_, slot) => new ScriptedInstance(slot))
  const grpc = new GrpcCall(timeout)
  const made = setUpAttempts(instances, { method: 'POST', path: '/shop.v1.Users/Get', grpc, body, start: 0 }, set)
  return { ...made, grpc, instances, a: instances[0]! }
}

const trailers = (status: number): Headers => Headers.of([['grpc-status', String(status)]])
const trailersOnly = (status: number): Reply => new Reply(200, trailers(status), null)

/** Has the head of a reply come, whose messages the test pushes, and the client take them. */
async function reply({ a, result }: ReturnType<typeof setUpCall>) {
  const body = new PushedBody(-1)
  a.listener?.replied(new Reply(200, Headers.of(), body), false)
  await received()
  const sink = new CollectingSink()
  const { reply: came } = result
  assert.ok(came !== null && isStream(came.body))
  came.body.pipe(sink)
  return { body, sink, came }
}

test('the remaining time is sent to the instance, and trailers are requested', () => {
  const { a, clock } = setUpCall({ timeout: 250 })
  assert.match(a.requests[0]!.fields, /^grpc-timeout: 250000u\r$/m)
  assert.equal(a.requests[0]!.acceptsTrailers, true)
  assert.equal(clock.now(), 0)
})

test('a later attempt gets the remaining time', async () => {
  const { instances, clock } = setUpCall({ timeout: 5_000, instances: 2, retry: { grpc: ['shop.v1.Users/*'] } })
  const [a, b] = instances as [ScriptedInstance, ScriptedInstance]
  clock.advance(1_000)
  a.listener?.replied(trailersOnly(14), false)
  a.listener?.finished()
  await received()
  assert.match(b.requests[0]!.fields, /^grpc-timeout: 4000000u\r$/m)
})

test('UNAVAILABLE is retried for the configured methods, before the first message only', async () => {
  for (const [grpc, status, asked] of [
    [['shop.v1.Users/Get'], 14, 1],
    [['shop.v1.Users/*'], 14, 1],
    [['shop.v1.Users/*'], 13, 0],
    [['shop.v1.Users/*'], 5, 0],
    [['shop.v1.Users/Put', 'v1.Users/*', 'hop.v1.Users/Get'], 14, 0],
    [[], 14, 0],
  ] as const) {
    const { instances, result, grpc: call } = setUpCall({ instances: 2, retry: { grpc: [...grpc] } })
    const [a, b] = instances as [ScriptedInstance, ScriptedInstance]
    a.listener?.replied(trailersOnly(status), false)
    a.listener?.finished()
    await received()
    assert.equal(b.requests.length, asked, `${grpc.join()} ${status}`)
    b.listener?.replied(trailersOnly(0), false)
    await received()
    assert.equal(result.reply?.headers.get('grpc-status'), asked === 1 ? '0' : String(status))
    assert.equal(call.status, asked === 1 ? 0 : status)
  }
})

test('a call whose deadline has passed is not sent', async () => {
  const { a, result, reported } = setUpCall({ timeout: 0 })
  await received()
  assert.equal((result.error as { code: string }).code, 'deadline-exceeded')
  assert.deepEqual([a.requests.length, reported.length], [0, 0])
})

test('a deadline before the head cancels the request, and does not count against the instance', async () => {
  const { a, clock, result, reported } = setUpCall({ timeout: 500, total: 60_000 })
  clock.advance(1_000)
  await received()
  assert.equal((result.error as { code: string }).code, 'deadline-exceeded')
  assert.equal(a.cancelled, 1)
  assert.deepEqual(
    reported.map(({ reason, fault }) => ({ reason, fault })),
    [{ reason: null, fault: 'client' }],
  )
})

test('if the total timeout of the route is shorter, it applies and counts against the service', async () => {
  const { clock, result, reported } = setUpCall({ timeout: 60_000, total: 500 })
  clock.advance(1_000)
  await received()
  assert.equal((result.error as { code: string }).code, 'gateway-timeout')
  assert.equal(reported[0]?.reason, 'timeout')
})

test('a deadline between messages ends the reply with its status, and cancels the request', async () => {
  const call = setUpCall({ timeout: 1_000 })
  const { body, sink } = await reply(call)
  body.push('message')
  call.clock.advance(1_500)
  assert.equal(sink.text, 'message')
  assert.equal(sink.trailers?.get('grpc-status'), '4')
  assert.equal(body.cancelled, true)
  assert.equal(call.grpc.status, 4)
  assert.equal(call.exchange.error?.code, 'deadline-exceeded')
})

test('a client that does not read is cut off at the deadline', async () => {
  const call = setUpCall({ timeout: 1_000 })
  const { body, sink } = await reply(call)
  sink.taking = false
  body.push('message')
  call.clock.advance(1_500)
  assert.equal(sink.ended, false)
  assert.ok(sink.error !== null)
  assert.equal(call.grpc.status, 4)
})

test('the status in the trailers is the outcome of the call for the instance', async () => {
  const call = setUpCall()
  const { body, sink } = await reply(call)
  assert.deepEqual(
    call.reported.map(({ kind, status }) => `${kind} ${status}`),
    ['ended 200'],
  )
  // The connection is done with it before the client has taken all.
  call.a.listener?.finished()
  assert.equal(call.reported.length, 1)
  body.end(trailers(13))
  assert.equal(sink.trailers?.get('grpc-status'), '13')
  assert.equal(call.grpc.status, 13)
  assert.deepEqual(
    call.reported.map(({ kind, status }) => `${kind} ${status}`),
    ['ended 200', 'passed 500'],
  )
})

test('a reply without a status does not count against the instance', async () => {
  const call = setUpCall()
  const { body } = await reply(call)
  body.end()
  call.a.listener?.finished()
  assert.equal(call.grpc.status, null)
  assert.deepEqual(
    call.reported.map(({ kind, status }) => `${kind} ${status}`),
    ['ended 200', 'passed 200'],
  )
})

test('an HTTP error of a service is returned unchanged, and counts once', async () => {
  const { a, reported, grpc, result } = setUpCall()
  const body = new PushedBody(-1)
  a.listener?.replied(new Reply(503, Headers.of(), body), false)
  await received()
  assert.equal(result.reply?.body, body)
  a.listener?.finished()
  assert.equal(grpc.status, null)
  assert.deepEqual(
    reported.map((each) => `${each.kind} ${each.status}`),
    ['ended 503', 'passed 503'],
  )
})

test('a service that fails between messages is reported in the trailers', async () => {
  const call = setUpCall()
  const { body, sink } = await reply(call)
  const error = new ClosedWithinReply(null)
  call.a.listener?.brokeOff(error)
  call.a.listener?.finished()
  body.sink?.fail(error)
  assert.equal(sink.trailers?.get('grpc-status'), '14')
  assert.equal(sink.error, null)
  assert.equal(call.exchange.error, error)
  assert.deepEqual(
    call.reported.map(({ kind }) => kind),
    ['ended', 'brokeOff'],
  )
})

test('a disconnect between messages does not count against the instance', async () => {
  const call = setUpCall()
  const { came, body } = await reply(call)
  assert.ok(isStream(came.body))
  came.body.cancel()
  call.a.listener?.finished()
  assert.equal(body.cancelled, true)
  assert.deepEqual(
    call.reported.map(({ kind, status }) => `${kind} ${status}`),
    ['ended 200', 'passed 200'],
  )
})

test('a trailers-only status is the outcome at once', async () => {
  for (const [status, judged] of [
    [14, 503],
    [2, 500],
    [5, 200],
    [4, 200],
    [12, 200],
    [0, 200],
  ] as const) {
    const { a, reported, grpc, result } = setUpCall()
    a.listener?.replied(trailersOnly(status), false)
    a.listener?.finished()
    await received()
    assert.deepEqual(
      reported.map((each) => each.status),
      [judged],
    )
    assert.equal(grpc.status, status)
    assert.equal(result.reply?.status, 200)
  }
})

test('a body that is still arriving is sent at once with what has arrived', async () => {
  const body = new PushedBody(-1, 'first')
  const { a, clock } = setUpCall({ body })
  assert.equal(a.requests.length, 0)
  await received()
  assert.equal(clock.now(), 0)
  const sent = a.requests[0]!.body
  assert.ok(sent instanceof BufferedBody)
  const sink = new CollectingSink()
  sent.pipe(sink)
  body.push(' second')
  assert.equal(sink.text, 'first second')
})
