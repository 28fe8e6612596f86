import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { type AttemptsSetUp, received, ScriptedInstance, setUpAttempts } from '../../test/support/attempts.ts'
import { GatewayError } from '../core/errors.ts'
import { Bytes } from '../http/body.ts'
import { Headers } from '../http/headers.ts'
import { ClosedBeforeReply, ClosedWithinReply, ConnectFailed, Preempted, TooManyStreams } from '../http/lane-errors.ts'
import { Reply } from '../http/reply.ts'

const ok = () => new Reply(200, Headers.of(), Bytes.fromLatin1('ok'))
const replied = { phase: 'body', status: 200, reason: null, fault: 'none', streamed: false, again: false } as const

test('a reply is one outcome, with the time until its head', async () => {
  const a = new ScriptedInstance(0)
  const { clock, reported, result } = setUpAttempts([a])
  clock.advance(30)
  a.listener?.replied(ok(), false)
  a.listener?.finished()
  await received()
  assert.equal(result.reply?.status, 200)
  assert.deepEqual(reported, [{ kind: 'ended', slot: 0, took: 30, ...replied }])
  assert.deepEqual([a.inFlight, a.sent], [0, 0])
})

test('each attempt has its own outcome and time', async () => {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  a.free = false
  const { clock, reported, retries, exchange } = setUpAttempts([a, b])
  clock.advance(20)
  a.lanes?.reject(new ConnectFailed('instance-0:80', null))
  await received()
  clock.advance(5)
  b.listener?.replied(ok(), false)
  assert.deepEqual(reported, [
    {
      kind: 'ended',
      slot: 0,
      took: 20,
      phase: 'connect',
      status: 0,
      reason: 'connect',
      fault: 'instance',
      streamed: false,
      again: true,
    },
    { kind: 'ended', slot: 1, took: 5, ...replied },
  ])
  assert.deepEqual(retries, ['connect'])
  assert.equal(exchange.serviceTime, 25)
})

test('a failure is reported with whose fault it is', () => {
  for (const [error, reason, fault] of [
    [new ClosedBeforeReply(false, false, null), 'closed', 'instance'],
    [new ClosedBeforeReply(true, true, null), 'closed', 'instance'],
    [new ClosedBeforeReply(true, false, null), 'closed', 'connection'],
    [new GatewayError('gateway-timeout'), 'timeout', 'instance'],
    [new GatewayError('bad-gateway'), 'invalid', 'instance'],
    [new TooManyStreams(), 'streams', 'gateway'],
    [new Preempted(), null, 'client'],
    [new GatewayError('content-too-large'), null, 'client'],
    [new GatewayError('internal-error'), null, 'gateway'],
  ] as const) {
    const a = new ScriptedInstance(0)
    const { reported } = setUpAttempts([a], { method: 'POST', body: Bytes.fromLatin1('1') })
    a.listener?.finished()
    a.listener?.failed(error)
    const [{ phase, again, ...outcome }] = reported as [(typeof reported)[number]]
    assert.deepEqual([outcome.reason, outcome.fault, phase, again, reported.length], [reason, fault, 'reply', false, 1])
  }
})

test('a disconnect of the client is reported once, whatever happens to the lane', async () => {
  const a = new ScriptedInstance(0)
  const { clock, reported, exchange } = setUpAttempts([a])
  clock.advance(40)
  Object.assign(exchange, { aborted: true })
  exchange.waiter?.abort()
  clock.advance(1)
  a.listener?.finished()
  a.listener?.failed(new ClosedBeforeReply(false, false, null))
  await received()
  assert.equal(a.cancelled, 1)
  assert.deepEqual(
    reported.map(({ fault, reason, status, took }) => ({ fault, reason, status, took })),
    [{ fault: 'client', reason: null, status: 0, took: 40 }],
  )
})

test('a disconnect before there is a lane is also reported once', async () => {
  const a = new ScriptedInstance(0)
  a.free = false
  const { reported, exchange } = setUpAttempts([a])
  Object.assign(exchange, { aborted: true })
  exchange.waiter?.abort()
  a.lanes?.resolve(a)
  await received()
  assert.deepEqual(
    reported.map(({ fault, phase }) => ({ fault, phase })),
    [{ fault: 'client', phase: 'connect' }],
  )
  assert.deepEqual([a.requests.length, a.inFlight, a.sent], [0, 0, 0])
})

test('a disconnect after the head does not change the outcome', () => {
  const a = new ScriptedInstance(0)
  const { reported, exchange } = setUpAttempts([a])
  a.listener?.replied(ok(), false)
  exchange.waiter?.abort()
  assert.deepEqual(reported, [{ kind: 'ended', slot: 0, took: 0, ...replied }])
})

test('a reply with a streamed body is reported twice: at its head and at its end', () => {
  const coming = () => new Reply(200, Headers.of(), new PushedBody(10))
  for (const [lasting, end, expected] of [
    [false, (a: ScriptedInstance) => a.listener?.finished(), ['ended', 'passed']],
    [
      false,
      (a: ScriptedInstance) => {
        a.listener?.brokeOff(new ClosedWithinReply(null))
        a.listener?.finished()
      },
      ['ended', 'brokeOff closed instance'],
    ],
    [
      false,
      (a: ScriptedInstance) => {
        a.listener?.brokeOff(new Preempted())
        a.listener?.finished()
      },
      ['ended', 'brokeOff null client'],
    ],
    [true, (a: ScriptedInstance) => a.listener?.finished(), ['ended']],
  ] as const) {
    const a = new ScriptedInstance(0)
    const { clock, reported } = setUpAttempts([a])
    clock.advance(10)
    a.listener?.replied(coming(), lasting)
    clock.advance(10)
    end(a)
    const words = reported.map((each) =>
      each.kind === 'brokeOff' ? `brokeOff ${each.reason} ${each.fault}` : each.kind,
    )
    assert.deepEqual(words, expected)
    assert.deepEqual(new Set(reported.map(({ took }) => took)), new Set([10]))
  }
})

// Another instance

const refused = (status = 503) => new Reply(status, Headers.of(), Bytes.fromLatin1('no'))

/** Two instances, of which the first has replied with that. */
async function setUpRefused(parts: Parameters<typeof setUpAttempts>[1], set: AttemptsSetUp, reply = refused()) {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  const all = setUpAttempts([a, b], parts, set)
  a.listener?.replied(reply, false)
  a.listener?.finished()
  await received()
  return { ...all, a, b }
}

test('502 and 503 are retried on another instance, at once if that has not failed itself', async () => {
  for (const status of [502, 503]) {
    const { b, result, reported, retries, exchange } = await setUpRefused({}, { retry: {} }, refused(status))
    assert.equal(b.requests.length, 1)
    b.listener?.replied(ok(), false)
    await received()
    assert.equal(result.reply?.status, 200)
    assert.deepEqual(
      reported.map(({ slot, again, ...outcome }) => [slot, outcome.status, again]),
      [
        [0, status, true],
        [1, 200, false],
      ],
    )
    assert.deepEqual([retries, exchange.attempts, exchange.retried], [['status'], 2, 'status'])
  }
})

test('other replies, and those of the last instance, are returned', async () => {
  for (const status of [500, 501, 504, 404, 200]) {
    const { b, result } = await setUpRefused({}, { retry: {} }, refused(status))
    assert.deepEqual([result.reply?.status, b.requests.length], [status, 0])
  }
  const { b, result } = await setUpRefused({}, { retry: { attempts: 5 } })
  b.listener?.replied(refused(), false)
  b.listener?.finished()
  await received()
  assert.equal(result.reply?.status, 503)
})

test('idempotent methods are retried if the body was kept, and others with a key if the service supports keys', async () => {
  const body = Bytes.fromLatin1('x'.repeat(1_025))
  const key = Headers.of([['Idempotency-Key', '"1"']])
  const onlyBadGateway = { statuses: [502] }
  for (const [parts, retry, sent] of [
    [{ method: 'GET' }, {}, 1],
    [{ method: 'GET' }, false, 0],
    [{ method: 'PUT', body }, {}, 1],
    [{ method: 'PUT', body }, { body: '1kb' }, 0],
    [{ method: 'POST', body }, {}, 0],
    [{ method: 'POST', body, headers: key }, {}, 0],
    [{ method: 'POST', body }, { idempotencyKey: true }, 0],
    [{ method: 'POST', body, headers: key }, { idempotencyKey: true }, 1],
    [{ method: 'PATCH', body, headers: key }, { idempotencyKey: true }, 1],
    [{ method: 'CONNECT', headers: key }, { idempotencyKey: true }, 0],
    [{ method: 'PUT', body: new PushedBody(5), expectsContinue: true }, {}, 0],
    [{ method: 'GET' }, onlyBadGateway, 0],
  ] as const) {
    const { b } = await setUpRefused({ ...parts }, { retry })
    assert.equal(b.requests.length, sent, JSON.stringify([parts.method, retry]))
  }
})

test('a close without a reply, and an invalid reply, are retried on another instance', async () => {
  for (const error of [new ClosedBeforeReply(false, false, null), new GatewayError('bad-gateway')]) {
    for (const [retry, sent] of [
      [{}, 1],
      [false, 0],
    ] as const) {
      const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
      const { result } = setUpAttempts([a, b], {}, { retry })
      a.listener?.finished()
      a.listener?.failed(error)
      await received()
      assert.equal(b.requests.length, sent)
      assert.equal(result.error, sent === 1 ? null : error)
    }
  }
})

test('after a close of its idle connection, a request is sent again if its method or the service allows it', async () => {
  const body = Bytes.fromLatin1('x')
  const key = Headers.of([['Idempotency-Key', '"1"']])
  for (const [parts, retry, sent] of [
    [{ method: 'PUT', body }, {}, 1],
    [{ method: 'PUT', body }, false, 1],
    [{ method: 'POST', body }, { idempotencyKey: true }, 0],
    [{ method: 'POST', body, headers: key }, {}, 0],
    [{ method: 'POST', body, headers: key }, { idempotencyKey: true }, 1],
    [{ method: 'POST', body: new PushedBody(5), headers: key, expectsContinue: true }, { idempotencyKey: true }, 0],
  ] as const) {
    const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
    setUpAttempts([a, b], { ...parts }, { retry })
    a.listener?.failed(new ClosedBeforeReply(true, false, null))
    b.lanes?.resolve(b)
    await received()
    assert.equal(b.requests.length, sent, JSON.stringify([parts.method, retry]))
  }
})

test('a timeout is not retried', async () => {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  const { result } = setUpAttempts([a, b], {}, { retry: {} })
  a.listener?.finished()
  a.listener?.failed(new GatewayError('gateway-timeout'))
  await received()
  assert.equal(b.requests.length, 0)
  assert.equal(result.error instanceof GatewayError && result.error.code, 'gateway-timeout')
})

test('if nothing could be sent, budget, attempts and method do not limit retries', async () => {
  const [a, b, c] = [new ScriptedInstance(0), new ScriptedInstance(1), new ScriptedInstance(2)]
  a.free = b.free = false
  const { retries } = setUpAttempts([a, b, c], { method: 'POST' }, { retry: { minimum: '0/s' } })
  for (const each of [a, b]) {
    each.lanes?.reject(new ConnectFailed(each.address, null))
    await received()
  }
  assert.deepEqual([c.requests.length, retries], [1, ['connect', 'connect']])
})

test('without budget the reply is returned, which is counted', async () => {
  const { b, result, retries } = await setUpRefused({}, { retry: { budget: '20%', minimum: '0/s' } })
  assert.deepEqual([result.reply?.status, b.requests.length, retries], [503, 0, ['exhausted']])
})

test('an instance that has just failed for others is retried after a random delay', async () => {
  const { b, clock } = await setUpRefused({}, { retry: {}, rows: [0, 2] })
  clock.advance(137)
  assert.equal(b.requests.length, 0)
  clock.advance(1)
  assert.equal(b.requests.length, 1)
})

test('a disconnect during the delay ends the request', async () => {
  const { b, clock, exchange, result, reported } = await setUpRefused({}, { retry: {}, rows: [0, 2] })
  Object.assign(exchange, { aborted: true })
  exchange.waiter?.abort()
  clock.advance(1_000)
  await received()
  assert.equal(b.requests.length, 0)
  assert.equal(result.error instanceof GatewayError && result.error.code, 'client-closed')
  assert.equal(reported.length, 1)
  assert.equal(clock.pending, 1, 'the tick of the deadlines')
})

test('the next instance is called once the lane has finished with the previous reply', async () => {
  for (const [length, end, cancelled] of [
    [10, (body: PushedBody) => body.push('0123456789'), false],
    [70_000, () => {}, true],
    [-1, (body: PushedBody) => body.push('x'.repeat(70_000)), true],
  ] as const) {
    const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
    setUpAttempts([a, b], {}, { retry: {} })
    const body = new PushedBody(length)
    a.listener?.replied(new Reply(503, Headers.of(), body), false)
    end(body)
    assert.equal(body.cancelled, cancelled)
    assert.deepEqual([b.requests.length, a.sent], [0, 1])
    a.listener?.finished()
    assert.deepEqual([b.requests.length, a.sent, b.sent], [1, 0, 1])
  }
})

test('a long reply to be discarded is cancelled', () => {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  const { clock } = setUpAttempts([a, b], {}, { retry: {} })
  const body = new PushedBody(-1)
  a.listener?.replied(new Reply(503, Headers.of(), body), false)
  body.push('a')
  assert.equal(body.cancelled, false)
  clock.advance(300)
  assert.equal(body.cancelled, true)
})

// Instances that stall

/** Two instances, of which the first has had the request for two seconds, and is ejected then as nothing comes from it. */
function setUpStalled(
  parts: Parameters<typeof setUpAttempts>[1] = {},
  set: AttemptsSetUp = { retry: {} },
  free = true,
) {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  a.free = free
  const all = setUpAttempts([a, b], parts, set)
  all.clock.advance(2_000)
  const ejection = { reason: 'stall', since: 0, until: 60_000, times: 1, amount: 5, of: 2_000 } as const
  all.board.ejections.begin(0, ejection)
  all.clock.advance(200)
  return { ...all, a, b }
}

test('requests waiting for an instance that is ejected as stalled move to another, which does not count as a further failure', async () => {
  const { a, b, clock, reported, retries, exchange, result } = setUpStalled()
  assert.deepEqual([a.cancelled, b.requests.length, retries, exchange.retried], [1, 1, ['stalled'], 'stalled'])
  a.listener?.finished()
  a.listener?.failed(new ClosedBeforeReply(false, false, null))
  clock.advance(10)
  b.listener?.replied(ok(), false)
  b.listener?.finished()
  await received()
  assert.equal(result.reply?.status, 200)
  assert.deepEqual(
    reported.map(({ slot, status, reason, fault, again }) => [slot, status, reason, fault, again]),
    [
      [0, 0, null, 'none', true],
      [1, 200, null, 'none', false],
    ],
  )
  assert.deepEqual([a.inFlight, a.sent, b.inFlight, b.sent], [0, 0, 0, 0])
})

test('unsafe requests stay, as the instance may still execute them, and retry and its budget apply', () => {
  const body = Bytes.fromLatin1('x')
  for (const [parts, set, moved] of [
    [{ method: 'HEAD' }, { retry: {} }, 1],
    [{ method: 'QUERY', body }, { retry: {} }, 1],
    [{ method: 'PUT', body }, { retry: {} }, 0],
    [{ method: 'DELETE' }, { retry: {} }, 0],
    [{ method: 'POST', body }, { retry: { idempotencyKey: true } }, 0],
    [{ method: 'GET' }, { retry: false }, 0],
    [{ method: 'GET' }, { retry: { minimum: '0/s' } }, 0],
    [{ method: 'GET' }, { retry: {}, bound: 0 }, 1],
  ] as const)
    assert.equal(setUpStalled({ ...parts }, set).b.requests.length, moved, JSON.stringify([parts.method, set]))
})

test('a request waiting for a connection moves whatever its method, as nothing was sent', async () => {
  const { a, b, result } = setUpStalled({ method: 'POST' }, { retry: false }, false)
  assert.equal(b.requests.length, 1)
  a.lanes?.resolve(a)
  b.listener?.replied(ok(), false)
  await received()
  assert.deepEqual([a.requests.length, a.inFlight, result.reply?.status], [0, 0, 200])
})

test('a reply that has started stays', () => {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  const { board, clock } = setUpAttempts([a, b], {}, { retry: {} })
  a.listener?.replied(new Reply(200, Headers.of(), new PushedBody(10)), false)
  board.ejections.begin(0, { reason: 'stall', since: 0, until: 60_000, times: 1, amount: 5, of: 2_000 })
  clock.advance(1_000)
  assert.deepEqual([a.cancelled, b.requests.length], [0, 0])
})

test('requests on an instance that is ejected for failures stay', () => {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  const { board, clock } = setUpAttempts([a, b], {}, { retry: {} })
  board.ejections.begin(0, { reason: 'row', since: 0, until: 60_000, times: 1, amount: 5, of: 503 })
  clock.advance(1_000)
  assert.deepEqual([a.cancelled, b.requests.length], [0, 0])
})

// All of it

test('the total timeout covers all attempts, including connecting', async () => {
  for (const begin of [(a: ScriptedInstance) => void (a.free = false), (a: ScriptedInstance) => void (a.free = true)]) {
    const a = new ScriptedInstance(0)
    begin(a)
    const { clock, deadlines, result, reported } = setUpAttempts([a], {}, { total: 1_000 })
    clock.advance(999)
    await received()
    assert.equal(reported.length, 0)
    clock.advance(201)
    await received()
    assert.equal(result.error instanceof GatewayError && result.error.code, 'gateway-timeout')
    assert.deepEqual(
      reported.map(({ reason, fault }) => [reason, fault]),
      [['timeout', 'instance']],
    )
    if (a.free) {
      assert.equal(a.cancelled, 1)
      a.listener?.finished()
      a.listener?.failed(new ClosedBeforeReply(false, false, null))
    }
    a.lanes?.resolve(a)
    await received()
    assert.deepEqual([reported.length, a.inFlight, a.sent], [1, 0, 0])
    assert.equal(deadlines.size, 0, 'nothing of it is watched any more')
  }
})

test('only the attempt in progress at the total timeout is cancelled, and not blamed', async () => {
  const { clock, b, result, reported } = await setUpRefused({}, { retry: {}, total: 1_000 })
  clock.advance(1_200)
  await received()
  assert.equal(result.error instanceof GatewayError && result.error.code, 'gateway-timeout')
  assert.deepEqual([reported.at(-1)?.reason, reported.at(-1)?.fault, b.cancelled], ['timeout', 'gateway', 1])
  const waiting = await setUpRefused({}, { retry: {}, total: 1, rows: [0, 1], drawn: 0.9 })
  waiting.clock.advance(1_200)
  await received()
  assert.equal(waiting.b.requests.length, 0)
})

test('the total timeout ends with the start of the reply', async () => {
  const a = new ScriptedInstance(0)
  const { clock, result } = setUpAttempts([a], {}, { total: 1_000 })
  a.listener?.replied(new Reply(200, Headers.of(), new PushedBody(10)), false)
  clock.advance(60_000)
  await received()
  assert.deepEqual([result.reply?.status, result.error, a.cancelled], [200, null, 0])
})
