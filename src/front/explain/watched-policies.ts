import { asGatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Handler, Middleware } from '../../http/handler.ts'
import type { Headers } from '../../http/headers.ts'
import type { Reply } from '../../http/reply.ts'
import { runsDry } from '../../policies/index.ts'
import type { Policy } from '../../policies/policy.ts'
import type { FieldChanges, ShownPolicy } from './explanation.ts'

/** What was observed of one policy during a request. */
export type PolicyFinding = Pick<ShownPolicy, 'verdict' | 'status' | 'code' | 'detail' | 'events' | 'request' | 'reply'>

type Changing = { -readonly [Key in keyof PolicyFinding]: PolicyFinding[Key] }

const UNCHANGED: FieldChanges = { set: [], removed: [] }

/** The finding for a policy that was not reached. */
const NOT_REACHED: PolicyFinding = {
  verdict: 'not-reached',
  status: null,
  code: null,
  detail: null,
  events: [],
  request: UNCHANGED,
  reply: UNCHANGED,
}

/**
 * Observes the policies of a chain while they process one exchange: what each changes in the request and reply, and whether it lets the
 * request pass. Contains no knowledge of specific policies.
 */
export class WatchedPolicies {
  /** The observed exchange; copies of it, such as those made for refetching, are ignored. */
  exchange: Exchange | null = null
  private readonly found = new Map<string, Changing>()
  private readonly visits = new Map<string, Visit>()

  /** Wraps the step of a policy for observation; policies that must not run are skipped. */
  readonly step = (policy: Policy, create: () => Middleware): Middleware => {
    const { name } = policy
    if (!runsDry(policy)) return (next) => this.passedBy(name, next)
    const step = create()
    return (next) => this.watched(name, step, next)
  }

  /** The finding for a policy. */
  of(name: string): PolicyFinding {
    return this.found.get(name) ?? NOT_REACHED
  }

  private passedBy(name: string, next: Handler): Handler {
    return (exchange) => {
      if (exchange === this.exchange) this.found.set(name, { ...NOT_REACHED, verdict: 'not-run' })
      return next(exchange)
    }
  }

  private watched(name: string, step: Middleware, next: Handler): Handler {
    const handle = step((exchange) => this.goOn(name, exchange, next))
    return (exchange) => (exchange === this.exchange ? this.enter(name, exchange, handle) : handle(exchange))
  }

  private enter(name: string, exchange: Exchange, handle: Handler): Reply | Promise<Reply> {
    const visit = new Visit(exchange)
    this.visits.set(name, visit)
    this.found.set(name, visit.finding)
    return settled(
      handle,
      exchange,
      (reply) => visit.leave(reply),
      (thrown) => visit.fail(thrown),
    )
  }

  private goOn(name: string, exchange: Exchange, next: Handler): Reply | Promise<Reply> {
    const visit = exchange === this.exchange ? this.visits.get(name) : undefined
    if (visit === undefined) return next(exchange)
    visit.goOn()
    return settled(
      next,
      exchange,
      (reply) => visit.back(reply),
      () => visit.back(null),
    )
  }
}

/** A policy processing the exchange. */
class Visit {
  readonly finding: Changing = { ...NOT_REACHED, verdict: 'passed', events: [] }
  private readonly exchange: Exchange
  private before: Shape
  /** Index from which events belong to this policy; those in between were recorded by inner steps. */
  private since: number
  private calledNext = false
  private replyBefore: Shape | null = null

  constructor(exchange: Exchange) {
    this.exchange = exchange
    this.before = requestShape(exchange)
    this.since = this.events.length
  }

  goOn(): void {
    const { finding, exchange, before } = this
    this.calledNext = true
    this.takeEvents()
    finding.request = changesBetween(before, requestShape(exchange))
  }

  back(reply: Reply | null): void {
    this.since = this.events.length
    this.replyBefore = reply === null ? null : fieldsOf(reply.headers)
  }

  leave(reply: Reply): void {
    const { finding } = this
    this.takeEvents()
    if (this.calledNext) {
      if (this.replyBefore !== null) finding.reply = changesBetween(this.replyBefore, fieldsOf(reply.headers))
      return
    }
    finding.verdict = 'answered'
    finding.status = reply.status
  }

  fail(thrown: unknown): void {
    this.takeEvents()
    // Errors thrown further in merely pass through, and an empty reply may break a policy that reads it.
    if (this.calledNext) return
    const { status, code, detail } = asGatewayError(thrown)
    Object.assign(this.finding, { verdict: 'refused', status, code, detail })
  }

  private get events() {
    return this.exchange.record?.events ?? []
  }

  private takeEvents(): void {
    const own = this.events.slice(this.since).map(({ name, attributes }) => ({ name, attributes }))
    this.finding.events = [...this.finding.events, ...own]
    this.since = this.events.length
  }
}

/** Header names in lower case, with their original names and values. */
type Shape = ReadonlyMap<string, readonly [name: string, value: string]>

/** Includes the path and query as pseudo headers. */
function requestShape({ headers, path, query }: Exchange): Shape {
  return new Map([...fieldsOf(headers), [':path', ['path', path]], [':query', ['query', query]]])
}

function fieldsOf(headers: Headers): Shape {
  const shape = new Map<string, readonly [string, string]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    const known = shape.get(key)
    shape.set(key, [name, known === undefined ? value : `${known[1]}\n${value}`])
  }
  return shape
}

function changesBetween(before: Shape, after: Shape): FieldChanges {
  const set = [...after].filter(([key, [, value]]) => before.get(key)?.[1] !== value).map(([, [name]]) => name)
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, [name]]) => name)
  return { set, removed }
}

function settled(
  handle: Handler,
  exchange: Exchange,
  done: (reply: Reply) => void,
  failed: (thrown: unknown) => void,
): Reply | Promise<Reply> {
  const pass = (reply: Reply): Reply => {
    done(reply)
    return reply
  }
  const fail = (thrown: unknown): never => {
    failed(thrown)
    throw thrown
  }
  try {
    const reply = handle(exchange)
    return reply instanceof Promise ? reply.then(pass, fail) : pass(reply)
  } catch (thrown) {
    return fail(thrown)
  }
}
