import { hostname } from 'node:os'
import { z } from 'zod'
import { publicUrlOf } from '../../config/admin-schema.ts'
import type { GatewayConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import { defineOperation } from '../../core/operation.ts'
import { type Readiness, readinessStates } from '../../front/built-in-routes.ts'
import { version } from '../../core/version.ts'
import type { Operations } from './operations.ts'

/** Wall-clock milliseconds, within the range of Date. */
const time = z.number().min(0).max(8.64e15)

/** Describes a gateway and its running configuration. */
export const describe = defineOperation({
  name: 'describe',
  readsOnly: true,
  arguments: z.strictObject({}),
  result: z.object({
    id: z.uuid(),
    /** Host name and process ID. */
    name: z.string().max(256),
    version: z.string().max(256),
    startedAt: time,
    readiness: z.enum(readinessStates),
    /** Revision of its running configuration. */
    revision: z.string().max(256),
    /** Since when that configuration has been running. */
    since: time,
    /** Public URL of its console; null if not configured. */
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .nullable(),
  }),
})

/** A gateway's description of itself. */
export type ReplicaDescription = z.output<typeof describe.result>

/** The sources of the description. */
export interface DescribeSources {
  readonly config: () => GatewayConfig
  readonly running: () => {
    readonly readiness: Readiness
    /** The configuration, and since when it has been running, in wall-clock milliseconds. */
    readonly applied: { readonly revision: string; readonly since: number }
  }
  readonly clock: Clock
}

/** Describes this gateway. */
export function describeHere(
  { id, name }: Pick<Operations, 'id' | 'name'>,
  { config, running, clock }: DescribeSources,
): ReplicaDescription {
  const { readiness, applied } = running()
  const { admin } = config()
  return {
    id,
    name,
    version,
    startedAt: clock.wall() - process.uptime() * 1000,
    readiness,
    revision: applied.revision,
    since: applied.since,
    publicUrl: admin === false ? null : publicUrlOf(admin, hostname()),
  }
}
