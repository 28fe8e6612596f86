import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../test/support/exchange.ts'
import { GatewayError } from '../core/errors.ts'
import { compose, editReplies, type Handler, type Middleware } from './handler.ts'
import { Headers } from './headers.ts'
import { PendingReply } from './pending-reply.ts'
import { Reply } from './reply.ts'

const ok = () => new Reply(200, Headers.of(), null)

function mark(text: string): Middleware {
  return (next) => {
    const edit = editReplies<string>(next, ({ headers }, _, state) => headers.append('X-Mark', state))
    return (exchange) => edit(exchange, text)
  }
}

/** A handler whose replies come when they are settled. */
function service() {
  const requests: PendingReply[] = []
  const handler: Handler = (exchange) => {
    const pending = new PendingReply(exchange)
    requests.push(pending)
    return pending.promise
  }
  return { handler, asked: requests }
}

function marks(reply: Reply): string[] {
  return reply.headers.getAll('X-Mark')
}

test('edits of a pending reply need no promises of their own, and the innermost runs first', async () => {
  const { handler, asked } = service()
  const promise = compose([mark('outer'), mark('inner')], handler)(makeExchange())
  assert.equal(promise, asked[0]?.promise)
  asked[0]?.settle(ok())
  assert.deepEqual(marks(await promise), ['inner', 'outer'])
})

test('a failure is edited as a problem document, and stays an error without edits', async () => {
  const { handler, asked } = service()
  const edited = mark('a')(handler)(makeExchange())
  const bare = handler(makeExchange())
  for (const each of asked) each.fail(new GatewayError('bad-gateway'))
  const reply = await edited
  assert.deepEqual([reply.status, marks(reply)], [502, ['a']])
  await assert.rejects(Promise.resolve(bare), GatewayError)
})

test('a reply that settles before it is awaited is edited too', async () => {
  const settled = mark('a')((exchange) => {
    const pending = new PendingReply(exchange)
    pending.settle(ok())
    return pending.promise
  })
  assert.deepEqual(marks(await settled(makeExchange())), ['a'])
})

test('a second attempt has its own edits', async () => {
  const { handler, asked } = service()
  const twice: Middleware = (next) => async (exchange) => {
    try {
      return await next(exchange)
    } catch {
      return await next(exchange)
    }
  }
  const exchange = makeExchange()
  const promise = compose([mark('outer'), twice], handler)(exchange)
  asked[0]?.fail(new GatewayError('bad-gateway'))
  while (asked.length < 2) await Promise.resolve()
  asked[1]?.settle(ok())
  assert.deepEqual(marks(await promise), ['outer'])
  assert.equal(exchange.pending, null)
})

const throwing: Middleware = (next) =>
  editReplies(next, () => {
    throw new GatewayError('internal-error')
  })
const refusing: Middleware = () => () => {
  throw new GatewayError('forbidden')
}
const waiting: Middleware = (next) => async (exchange) => {
  const reply = await next(exchange)
  reply.headers.append('X-Mark', 'waiting')
  return reply
}
const late: Middleware = (next) => async (exchange) => {
  await Promise.resolve()
  return next(exchange)
}

test('property: any chain of policies has the same result as with a plain promise', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.nat(99).map((n) => mark(String(n))) },
    { weight: 3, arbitrary: fc.constantFrom(throwing, waiting, late) },
    { weight: 1, arbitrary: fc.constant(refusing) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.boolean(), async (steps, fails) => {
      const error = new GatewayError('bad-gateway')
      const plain: Handler = () => (fails ? Promise.reject(error) : Promise.resolve(ok()))
      const pending: Handler = (exchange) => {
        const reply = new PendingReply(exchange)
        queueMicrotask(() => (fails ? reply.fail(error) : reply.settle(ok())))
        return reply.promise
      }
      const [expected, actual] = await Promise.all(
        [plain, pending].map(async (end) => {
          try {
            const reply = await compose(steps, end)(makeExchange())
            return [reply.status, marks(reply)]
          } catch (thrown) {
            return thrown
          }
        }),
      )
      assert.deepEqual(actual, expected)
    }),
  )
})
