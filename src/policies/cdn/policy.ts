import { GatewayError } from '../../core/errors.ts'
import { Shared } from '../../core/shared.ts'
import { newUuid } from '../../core/uuid.ts'
import type { Exchange } from '../../http/exchange.ts'
import { editReplies } from '../../http/handler.ts'
import { NameSet } from '../../http/name-set.ts'
import { replaceLines } from '../../http/headers.ts'
import type { Reply } from '../../http/reply.ts'
import { purgedTopic } from '../cache/purge.ts'
import { definePolicy, type PolicyToolbox } from '../policy.ts'
import { parseStrings } from '../structured-fields.ts'
import { CDN_LOOP, compileLoop } from './loop.ts'
import { type CdnOptions, cdnOptions } from './options.ts'
import { compileCheck } from './origin.ts'
import { compileHook, groupsPurged, purgedBy, type Purged, type PurgeHook } from './purge-hook.ts'
import { compileFields } from './reply-fields.ts'
import { callCdnTopic, type PurgeCall } from './topics.ts'

/** Methods whose replies invalidate nothing (RFC 9110 section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])

/** Headers meant for a CDN only (Edge Architecture Specification). */
const FOR_CDN = ['Surrogate-Control', 'Surrogate-Key']

/** Cooperates with a CDN in front of the gateway. */
export const cdn = definePolicy({
  name: 'cdn',
  summary:
    'For gateways behind a CDN: admits only requests that came through it, tells it what to cache and under which tags, purges it, and detects loops.',
  options: cdnOptions,
  networks: ['from'],
  fields: ({ secret }) => [CDN_LOOP, ...(secret === undefined ? [] : [secret.header])],
  secretFields: ({ secret }) => (secret === undefined ? [] : [secret.header]),
  isShared: () => true,
  document: ({ from, secret, certificate, others, loop }) => {
    const refuses = others === 'refuse' && (from !== undefined || secret !== undefined || certificate)
    return {
      refusals: [
        ...(refuses ? [{ code: 'forbidden', description: 'The request did not come through the CDN.' } as const] : []),
        ...(loop === undefined
          ? []
          : [{ code: 'loop-detected', description: 'The request has passed this gateway before.' } as const]),
      ],
    }
  },
  create(options, toolbox) {
    const { others, loop } = options
    const check = compileCheck(options, toolbox)
    const passLoop = loop === undefined ? null : compileLoop(loop)
    const addFields = compileFields({
      control: options.control === undefined ? null : { field: options.controlField, value: options.control },
      tags: options.tags ?? null,
    })
    const forCdn = new NameSet(options.tags === undefined ? FOR_CDN : [...FOR_CDN, options.tags])
    const hooks = hooksFor(options, toolbox)

    function edit(reply: Reply, exchange: Exchange, isCdn: boolean): void {
      hooks?.invalidateGroups(reply, exchange)
      if (isCdn) addFields(reply, exchange)
      else replaceLines(reply.headers, forCdn, '')
    }

    return (next) => {
      const edited = editReplies(next, edit)
      return (exchange) => {
        const isCdn = check === null || check(exchange)
        if (!isCdn && others === 'refuse')
          throw new GatewayError('forbidden', 'Requests are accepted only through the CDN.')
        if (passLoop !== null && !passLoop(exchange.headers))
          throw new GatewayError(
            'loop-detected',
            'The request has passed this gateway before: a CDN or proxy on the way leads back here.',
          )
        return edited(exchange, isCdn)
      }
    }
  },
})

/** The hooks of a thread: routes with the same configuration share them, so that each purge is sent once. */
const shared = new Shared<Hooks>()

function hooksFor({ purge }: CdnOptions, toolbox: PolicyToolbox): Hooks | null {
  if (purge.length === 0) return null
  return shared.get(toolbox.holder, JSON.stringify(purge), () => new Hooks(purge, toolbox))
}

/** Forwards purges in this gateway to the CDN. */
class Hooks {
  private readonly calls: readonly ((purged: Purged) => PurgeCall | null)[]
  private readonly toolbox: Pick<PolicyToolbox, 'threads'>
  private readonly endAnswers: () => void

  constructor(hooks: readonly PurgeHook[], { threads, answer }: PolicyToolbox) {
    this.calls = hooks.map(compileHook)
    this.toolbox = { threads }
    this.endAnswers = answer(purgedTopic, ({ id, purge }) => {
      this.requestPurges(id, [purgedBy(purge)])
      return null
    })
  }

  /** A service may invalidate groups of replies (RFC 9875 section 3). */
  invalidateGroups({ status, headers }: Reply, { method }: Exchange): void {
    if (SAFE.has(method) || status < 200 || status > 399) return
    const groups = headers.combined('Cache-Group-Invalidation')
    const names = groups === undefined ? null : parseStrings(groups)
    if (names !== null && names.length > 0) this.requestPurges(newUuid(), groupsPurged(names))
  }

  close(): void {
    this.endAnswers()
  }

  private requestPurges(id: string, all: readonly Purged[]): void {
    const calls = all.flatMap((purged) => this.calls.map((call) => call(purged))).filter((call) => call !== null)
    if (calls.length > 0) void this.toolbox.threads.askMain(callCdnTopic, { id, calls })
  }
}
