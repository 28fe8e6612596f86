import { z } from 'zod'
import { alignColumns } from '../config/columns.ts'
import { printable } from '../core/printable.ts'

/** A client's standing with one quota, as in the admin API. */
export const quotaSchema = z.object({
  limit: z.number(),
  windowSeconds: z.number(),
  used: z.number(),
  remaining: z.number(),
  moreInSeconds: z.number(),
  waitSeconds: z.number(),
})

/** The reply to GET /limits of the admin API. */
export const limitedSchema = z.object({
  clients: z
    .object({
      client: z.string(),
      limit: z.string(),
      algorithm: z.string(),
      store: z.string(),
      share: z.number(),
      limited: z.boolean(),
      refused: z.number(),
      lastSeenAt: z.string(),
      quotas: quotaSchema.array(),
    })
    .array(),
  more: z.number(),
})

type Limited = z.output<typeof limitedSchema>['clients'][number]

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const

/** The clients as a table, with columns for the client, the limit and its state. */
export function limitedText(clients: readonly Limited[]): string {
  const rows = clients.map(({ client, limit, share, limited, refused, quotas }) => {
    const tightest = quotas.reduce((one, other) => (shareOf(other) > shareOf(one) ? other : one))
    const state = limited ? 'limited' : `${Math.floor(share * 100)}%`
    return [printable(client), printable(limit), state, quotaText(tightest), refused === 0 ? '' : String(refused)]
  })
  return alignColumns([['CLIENT', 'LIMIT', 'STATE', 'USED', 'REFUSED'], ...rows])
}

/** Such as "950 of 1000/h, more in 12m". */
export function quotaText(quota: z.output<typeof quotaSchema>): string {
  const { limit, windowSeconds, used, moreInSeconds, waitSeconds } = quota
  return `${used} of ${limit}/${rateUnit(windowSeconds)}, more in ${spanText(Math.max(moreInSeconds, waitSeconds))}`
}

function shareOf({ used, limit }: z.output<typeof quotaSchema>): number {
  return used / limit
}

/** As in rates: "h", or "15m". */
function rateUnit(seconds: number): string {
  const [unit, length] = UNITS.find(([, each]) => seconds % each === 0) ?? ['s', 1]
  return seconds === length ? unit : `${seconds / length}${unit}`
}

function spanText(span: number): string {
  const seconds = Math.ceil(span)
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? ['s', 1]
  return `${Math.ceil(seconds / length)}${unit}`
}
