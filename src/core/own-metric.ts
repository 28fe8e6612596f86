import { LONG, metricTable, type OwnMetric } from './metric-table.ts'

/** A metric of a custom policy, as its author writes it. */
export interface MetricDefinition<Type extends OwnMetricType, Label extends string> {
  readonly type: Type
  /**
   * Begins with the name of the policy; lower-case letters, digits and underscores. That of a counter ends in `_total`, that of a histogram in
   * `_seconds`.
   */
  readonly name: string
  /** One sentence. */
  readonly help: string
  /** Names of the labels. Default none. */
  readonly labels?: readonly Label[]
  /** Upper bounds of a histogram's buckets, in seconds, ascending. Default: from 1 ms to 10 s. */
  readonly buckets?: readonly number[]
}

/** A value that only increases, a current value, or a distribution of durations. */
export type OwnMetricType = 'counter' | 'gauge' | 'histogram'

const PREFIX = 'sallyport_policy_'
const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/
const MAX_NAME_LENGTH = 100
const LABEL = /^[a-z][a-z0-9_]*$/
const MAX_LABELS = 8
const MAX_BUCKETS = 32

const ENDINGS = { counter: '_total', gauge: '', histogram: '_seconds' } as const satisfies Record<OwnMetricType, string>

/**
 * Declares a metric of a custom policy, for use with the `metrics` of its toolbox. Throws a TypeError if Prometheus could not read it, or if
 * it is one of the gateway's.
 */
export function defineMetric<const Type extends OwnMetricType, const Label extends string = never>({
  type,
  name: short,
  help,
  labels = [],
  buckets,
}: MetricDefinition<Type, Label>): OwnMetric<Type, Label> {
  const name = `${PREFIX}${short}`
  const fail = (what: string): never => {
    throw new TypeError(`the metric ${JSON.stringify(short)} ${what}`)
  }
  if (!Object.hasOwn(ENDINGS, type)) fail(`has the type ${type}; expected counter, gauge or histogram`)
  if (!NAME.test(short) || short.length > MAX_NAME_LENGTH)
    fail('has a malformed name; expected one such as "tenant_requests_total"')
  if (!short.endsWith(ENDINGS[type])) fail(`is a ${type}, so its name must end in ${ENDINGS[type]}`)
  if (type === 'gauge' && short.endsWith('_total')) fail('is a gauge, so its name must not end in _total')
  if (Object.hasOwn(metricTable, name)) fail("has the name of one of the gateway's; choose another one")
  if (help.trim() === '' || /[\\\n]/.test(help)) fail('has no help; expected one sentence in one line')
  const reserved = labels.find((label) => !LABEL.test(label) || label === 'le' || label === 'quantile')
  if (reserved !== undefined) fail(`has the label ${JSON.stringify(reserved)}; expected a name such as "tenant"`)
  if (labels.length > MAX_LABELS || new Set(labels).size < labels.length)
    fail(`has the same label twice, or more than ${MAX_LABELS} labels`)
  if (type !== 'histogram') {
    if (buckets !== undefined) fail(`is a ${type}, which has no buckets`)
    return Object.freeze({ name, type, help, labels })
  }
  const bounds = buckets ?? LONG
  const ascend = bounds.every((bound, i) => Number.isFinite(bound) && bound > (bounds[i - 1] ?? 0))
  if (!ascend || bounds.length === 0 || bounds.length > MAX_BUCKETS)
    fail(`has malformed buckets; expected 1 to ${MAX_BUCKETS} ascending numbers of seconds`)
  return Object.freeze({ name, type, help, labels, buckets: bounds })
}

/** Whether two declarations of one name count the same things. */
export function isSameMetric(a: OwnMetric, b: OwnMetric): boolean {
  return a === b || shapeOf(a) === shapeOf(b)
}

function shapeOf({ type, labels, buckets }: OwnMetric): string {
  return JSON.stringify([type, labels, buckets])
}
