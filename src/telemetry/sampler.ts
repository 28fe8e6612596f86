import { hash } from 'node:crypto'
import type { Logger } from '../core/logger.ts'

/** Whether a trace is recorded: `parent` is the caller's decision, or null if the trace begins here. */
export type Sampler = (traceId: string, parent: boolean | null) => boolean

/** Values of OTEL_TRACES_SAMPLER; the argument is the ratio. */
const samplers: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => always,
  always_off: () => never,
  traceidratio: byRatio,
  parentbased_always_on: () => byParent(always),
  parentbased_always_off: () => byParent(never),
  parentbased_traceidratio: (ratio) => byParent(byRatio(ratio)),
}

/**
 * The number of values of the first 13 of the 14 digits that are random in every id flagged as random (W3C Trace Context Level 2 section
 * 3.2.2.5.2).
 */
const RANDOM_VALUES = 16 ** 13

/** The sampler named by OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG; parentbased_always_on by default. */
export function createSampler(environment: Readonly<Record<string, string | undefined>>, log: Logger): Sampler {
  const { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument } = environment
  const create = samplers[name?.trim() || 'parentbased_always_on']
  if (create === undefined) {
    log.warn({ OTEL_TRACES_SAMPLER: name, allowed: Object.keys(samplers) }, 'No such sampler: all traces are sampled')
    return byParent(always)
  }
  const ratio = argument === undefined || argument.trim() === '' ? 1 : Number(argument)
  if (ratio >= 0 && ratio <= 1) return create(ratio)
  log.warn({ OTEL_TRACES_SAMPLER_ARG: argument }, 'Not a ratio from 0 to 1: all traces are sampled')
  return create(1)
}

/** Whether the trace is in that share of all traces, by the digits of its id; a trace that is in is also in for every greater ratio. */
export function isAmong(traceId: string, ratio: number): boolean {
  if (ratio === 1) return true
  return Number.parseInt(traceId.slice(18, 31), 16) >= (1 - ratio) * RANDOM_VALUES
}

/**
 * Whether the requests of a trace are in the share that is logged. The key prevents clients, who may choose the id, from choosing one that
 * is never logged.
 */
export function isLogged(traceId: string, ratio: number, key: string): boolean {
  if (ratio === 1) return true
  return hash('sha256', key + traceId, 'buffer').readUInt32BE() < ratio * 2 ** 32
}

function always(): boolean {
  return true
}

function never(): boolean {
  return false
}

function byRatio(ratio: number): Sampler {
  return (traceId) => isAmong(traceId, ratio)
}

function byParent(root: Sampler): Sampler {
  return (traceId, parent) => parent ?? root(traceId, null)
}
