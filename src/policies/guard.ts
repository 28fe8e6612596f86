import { messageOf } from '../core/error-facts.ts'
import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import { isBody, isStream } from '../http/body.ts'
import type { Policy } from './policy.ts'
import { errorKind, GatewayError } from '../core/errors.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import { discardReply, Reply } from '../http/reply.ts'
import { checkTarget } from '../http/target.ts'

/** A custom policy, and the route that it runs for. */
export interface RunningPolicy {
  readonly policy: string
  readonly route: string
}

/** The policy whose code is running, including in anything asynchronous that it has started. */
const running = new AsyncLocalStorage<RunningPolicy | null>()

/** The custom policy whose code is running; null for the gateway's own code. */
export function runningPolicy(): RunningPolicy | null {
  return running.getStore() ?? null
}

/**
 * Wraps a custom policy: if it throws anything but a GatewayError, or returns anything but a reply, the error becomes
 * 'internal-error' with the name of the policy in the cause. Errors from further in pass through unchanged.
 */
export function guardPolicy(policy: Policy): Policy {
  const { name } = policy
  return {
    ...policy,
    changesRequests: policy.changesRequests ?? true,
    document(options, operation) {
      try {
        const docs = policy.document?.(options, operation) ?? {}
        for (const { code } of docs.refusals ?? []) errorKind(code)
        return docs
      } catch (error) {
        throw failure(name, error)
      }
    },
    create(options, toolbox, route, general, source) {
      const here: RunningPolicy = { policy: name, route: route.id }
      const isShared = policy.isShared?.(options, general) === true
      const place: Place = isShared ? ({ route: { id } }) => ({ policy: name, route: id }) : () => here
      try {
        const step = running.run(here, () => policy.create(options, toolbox, route, general, source))
        return (next) => guard(name, place, (inner) => running.run(here, () => step(inner)), next)
      } catch (error) {
        throw new Error(`policy "${name}" could not be set up for route "${route.id}": ${messageOf(error)}`, {
          cause: error,
        })
      }
    },
  }
}

/** The parts of the exchange that go into the request head for the service and that policies may not change, as they were. */
class Given {
  readonly method: string
  readonly host: string
  readonly headers: Headers
  readonly client: Exchange['client']
  readonly trace: Exchange['trace']
  readonly record: Exchange['record']
  readonly route: Exchange['route']
  reply: Reply | null = null

  constructor({ method, host, headers, client, trace, record, route }: Exchange) {
    this.method = method
    this.host = host
    this.headers = headers
    this.client = client
    this.trace = trace
    this.record = record
    this.route = route
  }
}

const UNCHANGED = ['method', 'host', 'headers', 'client', 'trace', 'record', 'route'] as const

/** Throws a TypeError for violations of the types, which a policy in JavaScript, or one that casts, may still commit. */
function checkPassedOn(exchange: Exchange, passedOn: Given | undefined): void {
  if (passedOn === undefined) throw new TypeError('it called next with an exchange other than the one it was given')
  const changed = UNCHANGED.find((key) => exchange[key] !== passedOn[key])
  if (changed !== undefined) throw new TypeError(`it replaced exchange.${changed}, which is read-only`)
  checkTarget(exchange.path, exchange.query)
  if (!isBody(exchange.body))
    throw new TypeError(`it set exchange.body to something that is not a body: ${bodyExpected}`)
}

/** Identifies the policy and route for an exchange. */
type Place = (exchange: Exchange) => RunningPolicy

function guard(name: string, place: Place, step: (next: Handler) => Handler, next: Handler): Handler {
  /** Values thrown from further in, whatever they are; they are not the policy's fault. */
  const foreign = new WeakSet<object>()
  /** What the policy was given, and the replies from further in, which are discarded if the policy fails. */
  const passedOn = new WeakMap<Exchange, Given>()
  const remember = (thrown: unknown): never => {
    if (typeof thrown === 'object' && thrown !== null) foreign.add(thrown)
    throw thrown
  }
  const give = (exchange: Exchange, reply: Reply): Reply => {
    const known = passedOn.get(exchange)
    if (known !== undefined) known.reply = reply
    return reply
  }
  const handle = step((exchange) => {
    checkPassedOn(exchange, passedOn.get(exchange))
    try {
      const reply = running.run(null, next, exchange)
      return reply instanceof Promise
        ? reply.then((settled) => give(exchange, settled), remember)
        : give(exchange, reply)
    } catch (thrown) {
      return remember(thrown)
    }
  })
  const fail = (exchange: Exchange, thrown: unknown): never => {
    const reply = passedOn.get(exchange)?.reply ?? null
    if (reply !== null) discardReply(reply)
    const passes =
      thrown instanceof GatewayError || (typeof thrown === 'object' && thrown !== null && foreign.has(thrown))
    if (!passes) throw failure(name, thrown)
    // oxlint-disable-next-line typescript/only-throw-error -- rethrown unchanged, whatever it is
    throw thrown
  }
  return (exchange) => {
    const given = new Given(exchange)
    const finish = (reply: Reply): Reply => separate(checked(name, reply), given.reply)
    passedOn.set(exchange, given)
    try {
      const reply = running.run(place(exchange), handle, exchange)
      if (!(reply instanceof Promise)) return finish(reply)
      return reply.then(finish).catch((thrown: unknown) => fail(exchange, thrown))
    } catch (thrown) {
      return fail(exchange, thrown)
    }
  }
}

/** Checks what a policy in JavaScript, or one that casts, returns. */
function checked(name: string, reply: unknown): Reply {
  if (!(reply instanceof Reply)) throw failure(name, new TypeError('it returned something other than a Reply'))
  const { status, headers, body, upgrade } = reply
  const [min, max] = upgrade === null ? ([200, 599] as const) : ([101, 101] as const)
  if (!Number.isInteger(status) || status < min || status > max)
    throw failure(name, new RangeError(`it returned a reply with status ${status}; expected ${min} to ${max}`))
  if (!(headers instanceof Headers))
    throw failure(name, new TypeError('it returned a reply whose headers are not Headers'))
  if (!isBody(body)) throw failure(name, new TypeError(`it returned a reply whose body is not valid: ${bodyExpected}`))
  if (upgrade === null || PROTOCOL.test(upgrade.protocol)) return reply
  throw failure(name, new TypeError('it returned an upgrade to something that is not a protocol'))
}

/** A copy of a reply that the policy made itself, and may return again: outer steps change what they get. */
function separate(reply: Reply, passedOn: Reply | null): Reply {
  const { status, headers, body, upgrade } = reply
  if (reply === passedOn || upgrade !== null || isStream(body)) return reply
  return new Reply(status, headers.clone(), body)
}

const bodyExpected = 'expected null, Bytes, or a stream whose length is a whole number, -1 if it is unknown'

/** How a thrown value that is no Error is shown in the log. */
const SHOWN = { depth: 1, maxArrayLength: 8, maxStringLength: 256, breakLength: Infinity } as const

/** RFC 9110 section 7.8. */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/

function failure(name: string, thrown: unknown): GatewayError {
  const cause =
    thrown instanceof Error ? thrown : new Error(`it threw ${inspect(thrown, SHOWN)}, which is not an Error`)
  return new GatewayError('internal-error', undefined, { cause: new Error(`policy "${name}" failed`, { cause }) })
}
