import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { GatewayError } from '../core/errors.ts'
import { afterwards, compose, editReplies, type Handler, type Middleware } from './handler.ts'
import { Headers } from './headers.ts'
import { PendingReply } from './pending-reply.ts'
import { Reply } from './reply.ts'

const ok = () => new Reply(200, Headers.of(), null)
const refuse = (): never => {
  throw new GatewayError('too-busy')
}
const created = (reply: Reply) => new Reply(201, reply.headers, reply.body)
const clumsy = (next: Handler) =>
  editReplies(next, () => {
    throw new Error('clumsy')
  })
const mark = (next: Handler) => editReplies(next, (reply, exchange) => reply.headers.set('X-Mark', exchange.method))

test('the first step is the outermost', async () => {
  const seen: string[] = []
  const step =
    (name: string): Middleware =>
    (next) =>
    (exchange) => {
      seen.push(name)
      return next(exchange)
    }
  await compose([step('first'), step('second')], () => {
    seen.push('handler')
    return ok()
  })(makeExchange())
  assert.deepEqual(seen, ['first', 'second', 'handler'])
})

test('afterwards edits a reply at once, and a promised one when it is resolved', async () => {
  const now = afterwards(ok(), created)
  assert.ok(now instanceof Reply)
  assert.equal(now.status, 201)
  assert.equal((await afterwards(Promise.resolve(ok()), created)).status, 201)
})

test('an available reply is edited without a promise', () => {
  const reply = mark(ok)(makeExchange())
  assert.ok(reply instanceof Reply)
  assert.equal(reply.headers.get('X-Mark'), 'GET')
})

test('a promised reply is edited when it is resolved', async () => {
  const reply = await mark(() => Promise.resolve(ok()))(makeExchange())
  assert.equal(reply.headers.get('X-Mark'), 'GET')
})

test('a thrown error is edited as a problem document, without a promise', () => {
  const exchange = makeExchange()
  const reply = mark(refuse)(exchange)
  assert.ok(reply instanceof Reply)
  assert.equal(reply.status, 503)
  assert.equal(exchange.error?.code, 'too-busy')
  assert.equal(reply.headers.get('X-Mark'), 'GET')
})

test('a rejection is edited as a problem document', async () => {
  const exchange = makeExchange()
  const reply = await mark(() => Promise.reject(new Error('oops')))(exchange)
  assert.equal(reply.status, 500)
  assert.equal(exchange.error?.code, 'internal-error')
  assert.equal(reply.headers.get('X-Mark'), 'GET')
})

test('an error thrown by an edit is edited by the next outer step', async () => {
  const now = await compose([mark, clumsy], ok)(makeExchange())
  const later = await compose([mark, clumsy], () => Promise.resolve(ok()))(makeExchange())
  for (const reply of [now, later]) {
    assert.equal(reply.status, 500)
    assert.equal(reply.headers.get('X-Mark'), 'GET')
  }
})

test('a reply whose edit throws cancels its body and refuses its upgrade', async () => {
  const ended: string[] = []
  const streaming = (name: string): Reply => {
    const body = { length: -1, pipe() {}, resume() {}, cancel: () => ended.push(`body ${name}`) }
    const reply = new Reply(101, Headers.of(), body)
    reply.upgrade = { protocol: 'p', open: () => assert.fail(), refuse: () => void ended.push(`upgrade ${name}`) }
    return reply
  }
  assert.throws(() => clumsy(() => streaming('now'))(makeExchange()))
  await assert.rejects(Promise.resolve(clumsy(() => Promise.resolve(streaming('later')))(makeExchange())))
  const requests: PendingReply[] = []
  const waiting = clumsy((exchange) => {
    const pending = new PendingReply(exchange)
    requests.push(pending)
    return pending.promise
  })(makeExchange())
  requests[0]?.settle(streaming('pending'))
  await assert.rejects(Promise.resolve(waiting))
  assert.deepEqual(
    ended,
    ['now', 'later', 'pending'].flatMap((name) => [`upgrade ${name}`, `body ${name}`]),
  )
})

test('state from before next is available to the edit of the reply', async () => {
  const later = () => Promise.resolve(ok())
  for (const next of [ok, later, refuse]) {
    const handle = editReplies<string>(next, (reply, _, state) => reply.headers.set('X-State', state))
    const replies = await Promise.all(['a', 'b'].map(async (state) => handle(makeExchange(), state)))
    assert.deepEqual(
      replies.map(({ headers }) => headers.get('X-State')),
      ['a', 'b'],
    )
  }
})
