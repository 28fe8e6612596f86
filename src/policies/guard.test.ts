import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import type { BodyStream } from '../http/body.ts'
import { definePolicy, type Policy } from './policy.ts'
import { GatewayError, rootCause } from '../core/errors.ts'
import type { Handler, Middleware } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { guardPolicy, type RunningPolicy, runningPolicy } from './guard.ts'

const ok: Handler = () => Reply.json(200, {})

function apply(step: Middleware, next: Handler = ok): Handler {
  const policy: Policy = definePolicy({
    name: 'mine',
    summary: 'Is mine.',
    options: z.strictObject({}),
    create: () => step,
  })
  return applyPolicy(guardPolicy(policy), {}, next)
}

async function thrownBy(handler: Handler): Promise<unknown> {
  try {
    await handler(makeExchange())
  } catch (error) {
    return error
  }
  return null
}

const failing: Record<string, Middleware> = {
  throws: () => () => {
    throw new Error('broken')
  },
  rejects: () => () => Promise.reject(new Error('broken')),
  'throws a value other than an Error': () => () => {
    // oxlint-disable-next-line typescript/only-throw-error -- others may
    throw 'broken'
  },
  'returns nothing': () => (() => undefined) as unknown as Handler,
  'resolves with a Response': () => (() => Promise.resolve(new Response(''))) as unknown as Handler,
  'returns an invalid status': () => () => Reply.json(99, {}),
  'throws after next': (next) => async (exchange) => {
    await next(exchange)
    throw new Error('broken')
  },
}

for (const [what, step] of Object.entries(failing))
  test(`a policy that ${what} causes an internal error with its name in the cause`, async () => {
    const error = await thrownBy(apply(step))
    assert.ok(error instanceof GatewayError)
    assert.equal(error.code, 'internal-error')
    assert.equal(error.detail, undefined)
    assert.ok(error.cause instanceof Error)
    assert.equal(error.cause.message, 'policy "mine" failed')
    assert.notEqual(error.cause.cause, undefined)
  })

test('a thrown value that is no Error is shown in the cause', async () => {
  const error = await thrownBy(apply(() => () => Promise.reject({ code: 7 })))
  assert.equal(rootCause(error as GatewayError), 'it threw { code: 7 }, which is not an Error')
})

/** What the types do not allow, or what could end a message elsewhere than it ends. */
const splitting: Record<string, readonly [Middleware, RegExp]> = {
  'sets a path with a line break': [
    (next) => (exchange) => {
      exchange.path = '/ HTTP/1.1\r\nX-Evil: 1'
      return next(exchange)
    },
    /percent-encode/,
  ],
  'sets a query with a space': [
    (next) => (exchange) => {
      exchange.query = '? HTTP/1.1'
      return next(exchange)
    },
    /percent-encode/,
  ],
  'passes on its own exchange': [(next) => (exchange) => next({ ...exchange }), /an exchange other than/],
  'replaces the host': [(next) => (exchange) => next(Object.assign(exchange, { host: 'a\r\nX: 1' })), /exchange\.host/],
  'replaces the method': [(next) => (exchange) => next(Object.assign(exchange, { method: 'A B' })), /exchange\.method/],
  'replaces the header fields': [
    (next) => (exchange) => next(Object.assign(exchange, { headers: { toWire: () => 'A: 1\r\n\r\n' } })),
    /exchange\.headers/,
  ],
  'replaces the client': [
    (next) => (exchange) => {
      const client = { ...exchange.client, forwardingFields: () => 'A: 1\r\n\r\n' }
      return next(Object.assign(exchange, { client }))
    },
    /exchange\.client/,
  ],
  'replaces the trace': [
    (next) => (exchange) => next(Object.assign(exchange, { trace: { fields: () => 'A: 1\r\n\r\n' } })),
    /exchange\.trace/,
  ],
  'sends a body without a length': [
    (next) => (exchange) => {
      exchange.body = streamOf('5\r\nX-Evil: 1')
      return next(exchange)
    },
    /exchange\.body/,
  ],
  'replies with a body with a fractional length': [
    () => () => new Reply(200, Headers.of(), streamOf(0.5)),
    /whose body is not valid/,
  ],
  'replies with a body with a length of NaN': [
    () => () => new Reply(200, Headers.of(), streamOf(Number.NaN)),
    /whose body is not valid/,
  ],
  'replies with its own implementation of headers': [
    () => () => Object.assign(Reply.json(200, {}), { headers: { toWire: () => 'A: 1\r\n\r\n' } }),
    /whose headers are not Headers/,
  ],
  'replies with a line break in the status': [
    () => () => Object.assign(Reply.json(200, {}), { status: '200 OK\r\nX-Evil: 1' }),
    /expected 200 to 599/,
  ],
  'switches to a protocol with a line break': [
    () => () => Object.assign(Reply.json(101, {}), { upgrade: upgradeTo('a\r\nX-Evil: 1') }),
    /not a protocol/,
  ],
  'changes the status of a protocol switch': [
    () => () => Object.assign(Reply.json(200, {}), { upgrade: upgradeTo('websocket') }),
    /expected 101/,
  ],
}

function streamOf(length: unknown): BodyStream {
  return { length: length as number, pipe() {}, resume() {}, cancel() {} }
}

function upgradeTo(protocol: string) {
  return { protocol, open: () => assert.fail(), refuse() {} }
}

for (const [what, [step, message]] of Object.entries(splitting))
  test(`a policy that ${what} fails, and nothing of it is sent`, async () => {
    let requests = 0
    const error = await thrownBy(
      apply(step, () => {
        requests++
        return Reply.json(200, {})
      }),
    )
    assert.ok(error instanceof GatewayError && error.cause instanceof Error)
    assert.equal(error.cause.message, 'policy "mine" failed')
    assert.match(String(error.cause.cause), message)
    assert.equal(requests, 0)
  })

const careless: Record<string, Middleware> = {
  throws: (next) => async (exchange) => {
    await next(exchange)
    throw new Error('broken')
  },
  'throws at once': (next) => (exchange) => {
    void next(exchange)
    throw new Error('broken')
  },
  'returns something else': (next) => async (exchange) => {
    await next(exchange)
    return {} as Reply
  },
}

for (const [what, step] of Object.entries(careless))
  test(`a policy that ${what} after a reply cancels the body`, async () => {
    let cancelled = 0
    const body = { length: -1, pipe() {}, resume() {}, cancel: () => cancelled++ }
    const reply = new Reply(200, Headers.of(), body)
    assert.ok((await thrownBy(apply(step, () => reply))) instanceof GatewayError)
    assert.equal(cancelled, 1)
  })

test('a policy may return one reply for many requests: what outer steps change does not stay in it', async () => {
  const kept = Reply.json(200, {})
  for (const step of [() => () => kept, () => () => Promise.resolve(kept)] satisfies Middleware[]) {
    const handle = apply(step)
    const first = await handle(makeExchange())
    first.headers.append('X-Outer', '1')
    first.status = 404
    first.body = null
    const second = await handle(makeExchange())
    assert.deepEqual([second.status, second.headers.get('X-Outer')], [200, undefined])
    assert.notEqual(second.body, null)
  }
})

test('a reply from an inner step is passed on as it is', async () => {
  const reply = Reply.json(200, {})
  for (const step of [(next) => next, (next) => async (exchange) => next(exchange)] satisfies Middleware[])
    assert.equal(await apply(step, () => reply)(makeExchange()), reply)
})

test('an error of the table that a policy throws is its answer', async () => {
  const forbidden = new GatewayError('forbidden', 'No.')
  assert.equal(
    await thrownBy(
      apply(() => () => {
        throw forbidden
      }),
    ),
    forbidden,
  )
})

test('errors of inner steps are not attributed to the policy', async () => {
  const error = new TypeError('not mine')
  const fails: Handler = () => {
    throw error
  }
  assert.equal(await thrownBy(apply((next) => next, fails)), error)
  assert.equal(await thrownBy(apply((next) => async (exchange) => next(exchange), fails)), error)
  assert.equal(
    await thrownBy(
      apply(
        (next) => next,
        () => Promise.reject(error),
      ),
    ),
    error,
  )
})

test('an error during setup names the policy and the route', () => {
  const policy: Policy = definePolicy({
    name: 'mine',
    summary: 'Is mine.',
    options: z.strictObject({}),
    create: () => {
      throw new Error('broken')
    },
  })
  assert.throws(() => applyPolicy(guardPolicy(policy), {}, ok), {
    message: 'policy "mine" could not be set up for route "users": broken',
  })
})

test('runningPolicy is known in what a policy starts, but not in inner steps', async () => {
  const seen: (RunningPolicy | null)[] = []
  const step: Middleware = (next) => async (exchange) => {
    await Promise.resolve()
    seen.push(runningPolicy())
    const reply = await next(exchange)
    seen.push(runningPolicy())
    return reply
  }
  await apply(step, () => {
    seen.push(runningPolicy())
    return Reply.json(200, {})
  })(makeExchange())
  const mine = { policy: 'mine', route: 'users' }
  assert.deepEqual(seen, [mine, null, mine])
  assert.equal(runningPolicy(), null)
})

test('an error while documenting names the policy, and a policy without a document has none', () => {
  const base = { name: 'mine', summary: 'Is mine.', options: z.strictObject({}), create: () => (next: Handler) => next }
  const operation = { method: 'GET', path: '/' }
  const broken = guardPolicy({
    ...base,
    document: () => {
      throw new Error('broken')
    },
  })
  assert.throws(
    () => broken.document?.({}, operation),
    (error) => error instanceof GatewayError && String(error.cause).includes('policy "mine" failed'),
  )
  assert.deepEqual(guardPolicy(base).document?.({}, operation), {})
})

test('in a shared step runningPolicy has the route of the exchange', async () => {
  const seen: (RunningPolicy | null)[] = []
  const policy: Policy = {
    name: 'mine',
    summary: 'Is mine.',
    options: z.strictObject({}),
    isShared: () => true,
    create: () => (next) => (exchange) => {
      seen.push(runningPolicy())
      return next(exchange)
    },
  }
  const handler = applyPolicy(guardPolicy(policy), {}, ok)
  for (const id of ['a', 'b']) {
    const exchange = makeExchange()
    exchange.route = { id, pattern: '/', service: null }
    await handler(exchange)
  }
  assert.deepEqual(seen, [
    { policy: 'mine', route: 'a' },
    { policy: 'mine', route: 'b' },
  ])
})
