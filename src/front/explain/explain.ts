import { isIP } from 'node:net'
import { listenerName } from '../../config/listener-name.ts'
import { maskedFields } from '../../config/masked-config.ts'
import type { GatewayConfig, RouteConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import { asGatewayError, GatewayError } from '../../core/errors.ts'
import { formatAddress } from '../../core/address.ts'
import { noMetrics } from '../../core/no-metrics.ts'
import { Holder } from '../../core/shared.ts'
import { Headers, headersFromWire } from '../../http/headers.ts'
import { errorReply } from '../../http/problem.ts'
import { ExchangeRecord } from '../../http/record.ts'
import { discardReply, Reply } from '../../http/reply.ts'
import type { ServerExchange } from '../../http/server-exchange.ts'
import { syntheticExchange, type SyntheticRequest } from '../../listener/synthetic-exchange.ts'
import { dryStores, type OfPolicies } from '../../policies/generation-stores.ts'
import type { Policy, PolicyToolbox } from '../../policies/policy.ts'
import { preflightMethod } from '../../policies/preflight.ts'
import { createExplainer, type TriedLine } from '../../routing/explain.ts'
import type { RouteEntry } from '../../routing/match.ts'
import type { CurrentService } from '../../services/current-service.ts'
import type { HealthBoard } from '../../services/health/board.ts'
import { redactTarget } from '../../telemetry/redact.ts'
import { largestBody } from '../body-limit.ts'
import { type CompiledRoute, Compiler, type SnapshotToolbox } from '../compiler.ts'
import { listenerOptions } from '../listener-options.ts'
import type { ListenerConfig } from '../match-listeners.ts'
import { isBuiltIn, BUILT_IN_PREFIX, type BuiltInRoute } from '../built-in-routes.ts'
import { noThreads, silentLogger } from '../silent-tools.ts'
import type { Snapshot } from '../snapshot.ts'
import { DryForward } from './dry-forward.ts'
import type { Explanation, Question, ShownCandidate, ShownField, ShownPolicy } from './explanation.ts'
import { showService } from './shown-service.ts'
import { WatchedPolicies } from './watched-policies.ts'
import { lackWords, leadWords, originOf, policiesOf } from './words.ts'

/** Maximum number of candidates to list; there may be thousands. */
const MAX_CANDIDATES = 50

/** The default https port if no listener uses TLS. */
const HTTPS = 443

/** A configuration in one thread that can explain requests. */
export interface Subject {
  readonly config: GatewayConfig
  /** Every available policy, in chain order. */
  readonly policies: readonly Policy[]
  readonly services: ReadonlyMap<string, CurrentService>
  readonly own: readonly BuiltInRoute[]
  readonly snapshot: Snapshot
  readonly stores: OfPolicies
  readonly callService: PolicyToolbox['callService']
  readonly board: HealthBoard
  readonly clock: Clock
  readonly random: () => number
  /** Key for things shared within the thread (core/shared.ts). */
  readonly thread: object
  /** Number of the worker; null if no gateway is running. */
  readonly worker: number | null
  /** Additional remarks. */
  readonly notes: readonly string[]
}

/**
 * Explains what would happen to a request, and why. The chain of its route is compiled again with side-effect-free tools, and a synthetic
 * request passes through it, so the decisions are the same as for real requests. Nothing is counted, stored or sent, except that a policy
 * may verify credentials externally. Rejects with GatewayError 'bad-request' for an invalid question.
 */
export async function explain(question: Question, subject: Subject): Promise<Explanation> {
  const holder = Holder.isolated(subject.thread)
  try {
    return await new Inquiry(question, subject, holder).run()
  } finally {
    holder.release()
  }
}

/** The processing of one question. */
class Inquiry {
  private readonly question: Question
  private readonly subject: Subject
  private readonly policies = new WatchedPolicies()
  private readonly forward: DryForward
  private readonly listener: ListenerConfig
  private readonly request: SyntheticRequest
  private readonly toolbox: SnapshotToolbox

  constructor(question: Question, subject: Subject, holder: Holder) {
    const { config, clock, random, callService, stores } = subject
    this.question = question
    this.subject = subject
    this.forward = new DryForward(holder)
    this.listener = listenerFor(question, config)
    this.request = requestFor(question, this.listener)
    const assumed = question.as === null ? null : { ...question.as, claims: {} }
    this.toolbox = {
      clock,
      random,
      log: silentLogger,
      policies: subject.policies,
      step: this.policies.step,
      forward: this.forward.make,
      dry: true,
      ...(assumed !== null && { identify: () => assumed }),
      logDroppedFields: () => {},
      overload: { active: false, shed: () => null },
      callService,
      metrics: noMetrics,
      holder,
      answer: () => () => {},
      threads: noThreads,
      ...dryStores(stores),
    }
  }

  async run(): Promise<Explanation> {
    let exchange: ServerExchange
    try {
      exchange = this.exchange()
    } catch (error) {
      return this.unread(asGatewayError(error))
    }
    exchange.record = new ExchangeRecord(this.subject.clock)
    this.policies.exchange = this.forward.exchange = exchange
    let reply: Reply
    try {
      reply = await this.answer(exchange)
    } catch (error) {
      reply = errorReply(error, exchange)
    }
    discardReply(reply)
    return this.explanationOf(exchange, reply)
  }

  private get options() {
    const { config, policies } = this.subject
    return listenerOptions(config, this.listener, largestBody(config, policies), () => httpsPort(config))
  }

  private exchange(): ServerExchange {
    return syntheticExchange(this.request, this.options, this.subject.clock.now())
  }

  private answer(exchange: ServerExchange): Reply | Promise<Reply> {
    const elsewhere = this.options.redirect?.replyTo(exchange) ?? null
    if (elsewhere !== null) return elsewhere
    const { config, services, snapshot } = this.subject
    const compiler = new Compiler(config, services, this.toolbox)
    const compile = (route: CompiledRoute): CompiledRoute => this.compiled(compiler, route)
    return snapshot.recompiled(compiler, compile, this.toolbox.overload).handle(exchange)
  }

  private compiled(compiler: Compiler, { info }: CompiledRoute): CompiledRoute {
    if (isBuiltIn(info)) {
      const own = this.subject.own.find(({ path }) => path === info.pattern)
      const handler = own?.handler ?? ((): Reply => new Reply(200, Headers.of(), null))
      return compiler.own({ path: info.pattern, handler }).value
    }
    const route = this.routeOf(info.id)
    const entry =
      route === null ? undefined : compiler.route(route).find(({ value }) => value.info.pattern === info.pattern)
    if (entry === undefined) throw new Error(`the configuration has no route ${info.id} for ${info.pattern}`)
    return entry.value
  }

  private routeOf(id: string): RouteConfig | null {
    return this.subject.config.routes.find((route) => route.id === id) ?? null
  }

  /** Explanation of a request that is rejected while being read. */
  private unread(error: GatewayError): Explanation {
    const { status, code } = error
    const detail = error.detail ?? error.title
    const [written = ''] = this.request.target.split('?', 1)
    return {
      ...this.requestPart(),
      path: { written, normal: null, refused: detail },
      routes: { candidates: [], more: 0, others: this.subject.config.routes.length },
      route: null,
      params: {},
      consumer: null,
      policies: [],
      leads: [],
      service: null,
      outcome: 'replied',
      status,
      code,
      detail,
      reply: [],
      sent: null,
      notes: this.subject.notes,
    }
  }

  private requestPart() {
    const { subject, request, question } = this
    const { method, scheme, from, listener, fields } = request
    const host = fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? question.host
    return { worker: subject.worker, method, scheme, host, from, listener }
  }

  private explanationOf(exchange: ServerExchange, reply: Reply): Explanation {
    const { subject, forward } = this
    const { config, services, board } = subject
    const { id, pattern, service: named } = exchange.route
    const route = this.routeOf(id)
    const { error, consumer } = exchange
    const { sent } = forward
    const isForwarded = sent !== null && sent.request !== null
    const calledService = sent?.service ?? (named === null ? undefined : services.get(named))
    const options = calledService === undefined ? undefined : config.services[calledService.current.name]
    const [written = ''] = this.request.target.split('?', 1)
    const policies = this.shownPolicies(route, id)
    const look = this.exchange()
    const refused = subject.snapshot.refusalOf(look)
    return {
      ...this.requestPart(),
      path: { written, normal: refused === null ? look.path : null, refused },
      routes: this.tried(look, refused, exchange),
      route: id === '' ? null : { id, pattern },
      params: exchange.params,
      consumer: consumer === null ? null : { id: consumer.id, tier: consumer.tier, roles: consumer.roles },
      policies,
      leads: route === null ? [] : leadWords(route, sent === null ? null : exchange.route.service),
      service:
        calledService === undefined || options === undefined
          ? null
          : showService(calledService, options, board, sent?.instance ?? null),
      outcome: isForwarded ? 'sent' : 'replied',
      status: isForwarded ? null : reply.status,
      code: isForwarded ? null : (error?.code ?? null),
      detail: isForwarded ? null : (error?.detail ?? null),
      reply: shownFields(reply.headers),
      sent: isForwarded && sent.request !== null ? shownRequest(sent.request) : null,
      notes: [...subject.notes, ...this.remarks(policies, exchange)],
    }
  }

  private shownPolicies(route: RouteConfig | null, id: string): ShownPolicy[] {
    const { config, policies } = this.subject
    // Few policies apply to the gateway's own endpoints.
    const all = policiesOf(config, route, policies).filter(
      ({ name }) => !id.startsWith(BUILT_IN_PREFIX) || this.policies.of(name).verdict !== 'not-reached',
    )
    return all.map(({ name, off }) => {
      const { verdict, ...finding } = this.policies.of(name)
      const about = { name, verdict: off ? ('off' as const) : verdict }
      return Object.assign(about, finding, originOf(name, config, route))
    })
  }

  private tried(look: ServerExchange, refused: string | null, { route }: ServerExchange): Explanation['routes'] {
    const { config, own } = this.subject
    const entries: RouteEntry<string>[] = [
      ...config.routes.map(({ match, id }) => ({ match, value: id })),
      ...own.map(({ path }) => ({
        match: { path: [path], method: ['GET'] },
        value: `${BUILT_IN_PREFIX}${path.slice(1)}`,
      })),
    ]
    if (refused !== null) return { candidates: [], more: 0, others: config.routes.length }
    const { host, path, method, headers, query, listener } = look
    const effectiveMethod = preflightMethod(look) ?? method
    const tried = createExplainer(entries)({ host, path, method: effectiveMethod, headers, query, listener })
    const close = tried.filter(({ unmet }) => unmet[0]?.what !== 'path')
    const others = tried.filter(
      ({ value, unmet }) => unmet[0]?.what === 'path' && !value.startsWith(BUILT_IN_PREFIX),
    ).length
    const isSelected = ({ value, unmet }: TriedLine<string>): boolean => value === route.id && unmet.length === 0
    const selected = close.find(isSelected)
    const candidates = close.slice(0, MAX_CANDIDATES).map((line): ShownCandidate => ({
      route: line.value,
      pattern: line.pattern,
      host: line.host,
      listener: line.listener,
      lacks: line.unmet.map(lackWords),
      selected: line === selected,
    }))
    return { candidates, more: close.length - candidates.length, others }
  }

  private remarks(policies: readonly ShownPolicy[], exchange: ServerExchange): string[] {
    const remarks = policies
      .filter(({ verdict }) => verdict === 'not-run')
      .map(
        ({ name }) =>
          `The policy ${name} was not run, because it may change something. If it changes things only through its tools, declare runsDry: true.`,
      )
    if (this.question.as !== null && exchange.consumer === null && exchange.route.id !== '')
      remarks.push('No policy of this route identifies the caller, so the assumed consumer has no effect.')
    if (preflightMethod(exchange) !== null)
      remarks.push('A CORS preflight takes the route of the request that it asks about.')
    if (exchange.dropped !== null)
      remarks.push(
        `Removed, because only the gateway may set them: ${exchange.dropped.map(({ name }) => name).join(', ')}.`,
      )
    return remarks
  }
}

function listenerFor({ listener: named, scheme }: Question, { listeners }: GatewayConfig): ListenerConfig {
  const secure = scheme === 'https'
  const found =
    named === null
      ? (listeners.find(({ tls }) => (tls !== undefined) === secure) ?? listeners[0])
      : listeners.find((listener) => listenerName(listener) === named)
  if (found !== undefined) return found
  const names = listeners.map(listenerName).join(', ')
  throw new GatewayError('bad-request', `There is no listener ${named ?? ''}; the listeners are: ${names}.`)
}

function requestFor(question: Question, listener: ListenerConfig): SyntheticRequest {
  const { method, target, headers, body, from, scheme, host } = question
  if (isIP(from) === 0) throw new GatewayError('bad-request', `${from} is not an IP address.`)
  const named = headers.some(([name]) => name.toLowerCase() === 'host')
  const authority = host === '' ? formatAddress(listener.address) : host
  return {
    method,
    target,
    fields: named ? headers : [['Host', authority], ...headers],
    body,
    from,
    scheme: scheme ?? (listener.tls === undefined ? 'http' : 'https'),
    listener: listenerName(listener),
  }
}

function httpsPort({ listeners }: GatewayConfig): number {
  return listeners.find(({ tls }) => tls !== undefined)?.address.port ?? HTTPS
}

function shownRequest({ method, target, authority, fields }: NonNullable<DryForward['sent']>['request'] & object) {
  return { method, target: redactTarget(target), host: authority, fields: shownFields(headersFromWire(fields)) }
}

function shownFields(headers: Headers): ShownField[] {
  return [...headers].map(([name, value]) => ({ name, value: isChallenge(name) ? value : maskedField(name, value) }))
}

/** Whether a header says which credentials are missing: it looks like credentials, but holds none (RFC 9110 section 11.3). */
function isChallenge(name: string): boolean {
  return /^(?:www|proxy)-authenticate$/i.test(name)
}

function maskedField(name: string, value: string): string {
  return String(maskedFields({ [name]: value }, false)[name])
}
