import { present } from '../../core/present.ts'
import { type FieldDocs, type PolicyDocs, retryAfter } from '../policy-docs.ts'
import type { Quota } from './meter.ts'
import type { RateLimitOptions } from './options.ts'

/** draft-ietf-httpapi-ratelimit-headers-11 */
const FIELDS: readonly FieldDocs[] = [
  {
    name: 'RateLimit',
    description: 'What is left of each quota (r), and the seconds until more becomes available (t).',
    example: '"authenticated";r=999;t=3600',
  },
  {
    name: 'RateLimit-Policy',
    description: 'The quotas (q) and their windows in seconds (w).',
    example: '"authenticated";q=1000;w=3600',
  },
]

const LEGACY_FIELDS: readonly FieldDocs[] = [
  { name: 'X-RateLimit-Limit', description: 'The quota with the least left.', example: '1000' },
  { name: 'X-RateLimit-Remaining', description: 'What is left of it.', example: '999' },
  { name: 'X-RateLimit-Reset', description: 'Seconds until more of it becomes available.', example: '3600' },
]

/** Documents what the limits mean for callers. */
export function documentLimits({ tiers, headers, legacyHeaders }: RateLimitOptions): PolicyDocs {
  const limited = Object.entries(tiers).filter(([, quotas]) => quotas.length > 0)
  if (limited.length === 0) return {}
  const fields = [...(headers ? FIELDS : []), ...(legacyHeaders ? LEGACY_FIELDS : [])]
  const rates = limited.map(([tier, quotas]) => `${quotas.map(rateText).join(' and ')} for the tier ${tier}`)
  const description = `Too many requests; at most ${rates.join(', ')}.`
  return { fields, refusals: [{ code: 'rate-limited', description, fields: [retryAfter, ...fields] }] }
}

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

function rateText({ limit, window }: Quota): string {
  const seconds = window / 1000
  const [name, unit] = present(
    UNITS.find((each) => seconds % each[1] === 0),
    'unit of the window',
  )
  return seconds === unit ? `${limit} per ${name}` : `${limit} in ${seconds / unit} ${name}s`
}
