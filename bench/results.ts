import { z } from 'zod'

const figures = z.strictObject({
  /** CPU time of the proxy in microseconds per unit of the scenario. */
  cpu: z.number(),
  /** Units per second. */
  rate: z.number(),
  /** Latency in microseconds. */
  p50: z.number(),
  p99: z.number(),
  /** The fraction of time that the proxy was running on its core. */
  busy: z.number(),
  /** Peak resident memory in bytes since the proxy started. */
  memory: z.number(),
})

const measurement = z.union([figures, z.strictObject({ invalid: z.string() })])

const peerResult = z.strictObject({ name: z.string(), rounds: z.array(measurement) })

const goal = z.strictObject({
  figure: z.enum(['cpu', 'p99']),
  ratio: z.number(),
  /** The peer to judge; the subject if absent. */
  of: z.string().optional(),
  /** The peer to compare with; nginx if absent. */
  to: z.string().optional(),
})

const scenarioResult = z.strictObject({
  name: z.string(),
  title: z.string(),
  unit: z.enum(['request', 'MB']),
  goals: z.array(goal),
  warmUp: z.number(),
  command: z.string(),
  peers: z.array(peerResult),
  failed: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
})

/** The schema of docs/benchmarks.json: everything that a run measured, and where. */
export const resultsSchema = z.strictObject({
  date: z.string(),
  machine: z.array(z.tuple([z.string(), z.string()])),
  versions: z.array(z.tuple([z.string(), z.string()])),
  skipped: z.array(z.string()),
  rounds: z.number(),
  seconds: z.number(),
  subject: z.string(),
  baselines: z.array(z.string()),
  scenarios: z.array(scenarioResult),
})

/** The figures of one measurement that counts. */
export type Figures = z.infer<typeof figures>
/** One round of one proxy: its figures, or why it must not count. */
export type Measurement = z.infer<typeof measurement>
/** A goal of a scenario. */
export type Goal = z.infer<typeof goal>
/** All rounds of one proxy in one scenario. */
export type PeerResult = z.infer<typeof peerResult>
/** All proxies in one scenario. */
export type ScenarioResult = z.infer<typeof scenarioResult>
/** A whole run. */
export type Results = z.infer<typeof resultsSchema>
