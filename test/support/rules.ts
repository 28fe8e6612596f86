import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

/** deploy/prometheus. */
export const prometheusFolder = join(import.meta.dirname, '../../deploy/prometheus')

const recordingSchema = z.strictObject({ record: z.string(), expr: z.string() })
const alertSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
})
const rulesSchema = z.object({
  groups: z.array(z.object({ name: z.string(), rules: z.array(z.union([recordingSchema, alertSchema])) })),
})

/** A recording rule. */
export type RecordingRule = z.output<typeof recordingSchema>

/** An alerting rule. */
export type AlertRule = z.output<typeof alertSchema>

const rules = ['rules/indicators.yml', 'rules/alerts.yml']
  .map((file) => rulesSchema.parse(parse(readFileSync(join(prometheusFolder, file), 'utf8'))))
  .flatMap(({ groups }) => groups.flatMap((group) => group.rules))

export const alerts: readonly AlertRule[] = rules.filter((rule) => 'alert' in rule)

export const recordings: readonly RecordingRule[] = rules.filter((rule) => 'record' in rule)
