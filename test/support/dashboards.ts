import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const folder = join(import.meta.dirname, '../../deploy/grafana/dashboards')

const panelSchema = z.object({
  id: z.int(),
  type: z.string(),
  title: z.string().min(1),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: z.object({ uid: z.string() }).optional(),
  targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string().optional() })).optional(),
  fieldConfig: z
    .object({
      defaults: z.object({ unit: z.string().optional() }),
      overrides: z.array(z.object({ properties: z.array(z.object({ id: z.string() })) })),
    })
    .optional(),
})

const variableSchema = z.object({
  name: z.string(),
  query: z.union([z.string(), z.object({ query: z.string() }).transform(({ query }) => query)]),
})

const dashboardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  description: z.string().min(1),
  tags: z.array(z.string()),
  panels: z.array(panelSchema),
  templating: z.object({ list: z.array(variableSchema) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  links: z.array(z.object({ type: z.literal('dashboards'), tags: z.array(z.string()), includeVars: z.literal(true) })),
})

export type Panel = z.output<typeof panelSchema>

/** The dashboards as loaded by Grafana. */
export const dashboards = readdirSync(folder).map((name) =>
  dashboardSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))),
)

/** All panels except headings. */
export function panelsOf({ panels }: (typeof dashboards)[number]): Panel[] {
  return panels.filter(({ type }) => type !== 'row')
}
