import { AsyncLocalStorage } from 'node:async_hooks'
import type { Policy } from '../core/component.ts'
import { GatewayError } from '../core/errors.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Handler } from '../core/handler.ts'
import { discardReply, Reply } from '../core/reply.ts'

/** Name of the policy whose code is running, in whatever it has started. */
const running = new AsyncLocalStorage<string | null>()

/** The policy of a user's own whose code is running; null for the gateway's. */
export function runningPolicy(): string | null {
  return running.getStore() ?? null
}

/**
 * A policy of a user's own, with a fence around it: what it throws that is no GatewayError, or returns that is no reply,
 * becomes 'internal-error' with its name in the cause. What comes from further in passes through as it is.
 */
export function guardPolicy(policy: Policy): Policy {
  const { name } = policy
  return {
    ...policy,
    document(options, operation) {
      try {
        return policy.document?.(options, operation) ?? {}
      } catch (error) {
        throw failure(name, error)
      }
    },
    create(options, toolbox, route, general) {
      try {
        const step = running.run(name, () => policy.create(options, toolbox, route, general))
        return (next) => guard(name, (inner) => running.run(name, () => step(inner)), next)
      } catch (error) {
        throw new Error(`policy "${name}" could not be set up for route "${route.id}": ${messageOf(error)}`, {
          cause: error,
        })
      }
    },
  }
}

function guard(name: string, step: (next: Handler) => Handler, next: Handler): Handler {
  /** What was thrown further in is not the policy's, whatever it is. */
  const foreign = new WeakSet<object>()
  /** Replies that the policy has from further in: where it fails, nobody gets them. */
  const given = new WeakMap<Exchange, Reply>()
  const remember = (thrown: unknown): never => {
    if (typeof thrown === 'object' && thrown !== null) foreign.add(thrown)
    throw thrown
  }
  const give = (exchange: Exchange, reply: Reply): Reply => {
    given.set(exchange, reply)
    return reply
  }
  const handle = step((exchange) => {
    try {
      const reply = running.run(null, next, exchange)
      return reply instanceof Promise ? reply.then((came) => give(exchange, came), remember) : give(exchange, reply)
    } catch (thrown) {
      return remember(thrown)
    }
  })
  const fail = (exchange: Exchange, thrown: unknown): never => {
    const reply = given.get(exchange)
    if (reply !== undefined) discardReply(reply)
    const passes =
      thrown instanceof GatewayError || (typeof thrown === 'object' && thrown !== null && foreign.has(thrown))
    if (!passes) throw failure(name, thrown)
    // oxlint-disable-next-line typescript/only-throw-error -- as it came, whatever it is
    throw thrown
  }
  return (exchange) => {
    try {
      const reply = running.run(name, handle, exchange)
      if (!(reply instanceof Promise)) return checked(name, reply)
      return reply.then((came) => checked(name, came)).catch((thrown: unknown) => fail(exchange, thrown))
    } catch (thrown) {
      return fail(exchange, thrown)
    }
  }
}

/** What a policy in JavaScript, or one that casts, may return. */
function checked(name: string, reply: unknown): Reply {
  if (!(reply instanceof Reply)) throw failure(name, new TypeError('it returned something else than a Reply'))
  const { status } = reply
  if (reply.upgrade !== null || (Number.isInteger(status) && status >= 200 && status <= 599)) return reply
  throw failure(name, new RangeError(`it returned a reply with status ${status}; expected 200 to 599`))
}

function failure(name: string, cause: unknown): GatewayError {
  return new GatewayError('internal-error', undefined, { cause: new Error(`policy "${name}" failed`, { cause }) })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
