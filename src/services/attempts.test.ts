import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { heard, ScriptedInstance, setUpAttempts } from '../../test/support/attempts.ts'
import { GatewayError } from '../core/errors.ts'
import { Bytes } from '../http/body.ts'
import { Headers } from '../http/headers.ts'
import { ClosedBeforeReply, ClosedWithinReply, ConnectFailed, MadeWay, TooManyStreams } from '../http/lane-errors.ts'
import { Reply } from '../http/reply.ts'

const ok = () => new Reply(200, Headers.of(), Bytes.fromLatin1('ok'))
const replied = { phase: 'body', status: 200, reason: null, fault: 'none', streamed: false, again: false } as const

test('a reply is one outcome, with how long it took to its head', async () => {
  const a = new ScriptedInstance(0)
  const { clock, told, result } = setUpAttempts([a])
  clock.advance(30)
  a.listener?.replied(ok(), false)
  a.listener?.finished()
  await heard()
  assert.equal(result.reply?.status, 200)
  assert.deepEqual(told, [{ told: 'ended', slot: 0, took: 30, ...replied }])
  assert.deepEqual([a.inFlight, a.sent], [0, 0])
})

test('each attempt has its own outcome, and its own time', async () => {
  const [a, b] = [new ScriptedInstance(0), new ScriptedInstance(1)]
  a.free = false
  const { clock, told, retries, exchange } = setUpAttempts([a, b])
  clock.advance(20)
  a.lanes?.reject(new ConnectFailed('instance-0:80', null))
  await heard()
  clock.advance(5)
  b.listener?.replied(ok(), false)
  assert.deepEqual(told, [
    {
      told: 'ended',
      slot: 0,
      took: 20,
      phase: 'connect',
      status: 0,
      reason: 'connect',
      fault: 'instance',
      streamed: false,
      again: true,
    },
    { told: 'ended', slot: 1, took: 5, ...replied },
  ])
  assert.deepEqual(retries, ['connect'])
  assert.equal(exchange.serviceTime, 25)
})

test('what goes wrong is told with whose fault it is', () => {
  for (const [error, reason, fault] of [
    [new ClosedBeforeReply(false, false, null), 'closed', 'instance'],
    [new ClosedBeforeReply(true, true, null), 'closed', 'instance'],
    [new ClosedBeforeReply(true, false, null), 'closed', 'connection'],
    [new GatewayError('gateway-timeout'), 'timeout', 'instance'],
    [new GatewayError('bad-gateway'), 'invalid', 'instance'],
    [new TooManyStreams(), 'streams', 'gateway'],
    [new MadeWay(), null, 'client'],
    [new GatewayError('content-too-large'), null, 'client'],
    [new GatewayError('internal-error'), null, 'gateway'],
  ] as const) {
    const a = new ScriptedInstance(0)
    const { told } = setUpAttempts([a], { method: 'POST', body: Bytes.fromLatin1('1') })
    a.listener?.finished()
    a.listener?.failed(error)
    const [{ phase, again, ...outcome }] = told as [(typeof told)[number]]
    assert.deepEqual([outcome.reason, outcome.fault, phase, again, told.length], [reason, fault, 'reply', false, 1])
  }
})

test('a client that leaves is told of once, whatever becomes of the lane', async () => {
  const a = new ScriptedInstance(0)
  const { clock, told, exchange } = setUpAttempts([a])
  clock.advance(40)
  Object.assign(exchange, { aborted: true })
  exchange.waiter?.abort()
  clock.advance(1)
  a.listener?.finished()
  a.listener?.failed(new ClosedBeforeReply(false, false, null))
  await heard()
  assert.equal(a.cancelled, 1)
  assert.deepEqual(
    told.map(({ fault, reason, status, took }) => ({ fault, reason, status, took })),
    [{ fault: 'client', reason: null, status: 0, took: 40 }],
  )
})

test('a client that leaves before there is a lane is told of once as well', async () => {
  const a = new ScriptedInstance(0)
  a.free = false
  const { told, exchange } = setUpAttempts([a])
  Object.assign(exchange, { aborted: true })
  exchange.waiter?.abort()
  a.lanes?.resolve(a)
  await heard()
  assert.deepEqual(
    told.map(({ fault, phase }) => ({ fault, phase })),
    [{ fault: 'client', phase: 'connect' }],
  )
  assert.deepEqual([a.requests.length, a.inFlight, a.sent], [0, 0, 0])
})

test('a client that leaves after the head changes nothing of the outcome', () => {
  const a = new ScriptedInstance(0)
  const { told, exchange } = setUpAttempts([a])
  a.listener?.replied(ok(), false)
  exchange.waiter?.abort()
  assert.deepEqual(told, [{ told: 'ended', slot: 0, took: 0, ...replied }])
})

test('a reply whose body is still coming is told of twice: its head, and whether it ended as it should', () => {
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
        a.listener?.brokeOff(new MadeWay())
        a.listener?.finished()
      },
      ['ended', 'brokeOff null client'],
    ],
    [true, (a: ScriptedInstance) => a.listener?.finished(), ['ended']],
  ] as const) {
    const a = new ScriptedInstance(0)
    const { clock, told } = setUpAttempts([a])
    clock.advance(10)
    a.listener?.replied(coming(), lasting)
    clock.advance(10)
    end(a)
    const words = told.map((each) => (each.told === 'brokeOff' ? `brokeOff ${each.reason} ${each.fault}` : each.told))
    assert.deepEqual(words, expected)
    assert.deepEqual(new Set(told.map(({ took }) => took)), new Set([10]))
  }
})
