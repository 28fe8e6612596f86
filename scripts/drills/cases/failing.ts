import { atMost, type Drill, type Stage, usual, whole } from '../drill.ts'
import { type Behavior, well } from '../service/behavior.ts'

type Named = Pick<Drill, 'name' | 'title' | 'goal' | 'isMet'>

/** One of three instances fails in some way for a while; its health checks keep passing. */
function oneFails(named: Named, fault: Partial<Behavior>): Drill {
  return {
    ...usual,
    ...named,
    behavior: well,
    begin: ({ instances }: Stage) => instances[0]?.behave(fault),
    end: ({ instances }: Stage) => instances[0]?.behave(well),
  }
}

/** It resets each connection once the request has arrived. */
export const reset = oneFails(
  {
    name: 'reset',
    title: 'One of three resets connections',
    goal: 'at most 0.1% of GETs fail, no POST is sent twice',
    isMet: (result) => atMost(0.001, result),
  },
  { fault: 'reset' },
)

/** It closes each connection once the request has arrived. */
export const close = oneFails(
  {
    name: 'close',
    title: 'One of three closes connections',
    goal: 'at most 0.1% of GETs fail, no POST is sent twice',
    isMet: (result) => atMost(0.001, result),
  },
  { fault: 'close' },
)

/** Half of its replies are 503. */
export const half503 = oneFails(
  {
    name: 'half-503',
    title: 'One of three answers half of its requests with 503',
    goal: 'at most 0.1% of GETs fail, no POST is sent twice',
    isMet: (result) => atMost(0.001, result),
  },
  { fault: 'status', status: 503, share: 0.5 },
)

/** Half of its replies are 500. */
export const half500 = oneFails(
  {
    name: 'half-500',
    title: 'One of three answers half of its requests with 500',
    goal: 'at most 1% of GETs fail, no POST is sent twice',
    isMet: (result) => atMost(0.01, result),
  },
  { fault: 'status', status: 500, share: 0.5 },
)

/** Its bodies are cut off in the middle. */
export const truncated = oneFails(
  {
    name: 'truncated',
    title: 'One of three truncates its bodies',
    goal: 'at most 0.5% of GETs fail, and every client can detect it; no POST is sent twice',
    isMet: (result) => atMost(0.005, result) && result.gets.reasons['short, and nothing said so'] === undefined,
  },
  { fault: 'truncate' },
)

/** It takes a hundred times as long. */
export const slow: Drill = {
  ...oneFails(
    {
      name: 'slow',
      title: 'One of three becomes a hundred times slower',
      goal: 'p99 at most twice that of a healthy service, nothing fails',
      isMet: ({ gets, p99 }, healthy) => gets.failed === 0 && (healthy === undefined || p99 <= healthy.p99 * 2),
    },
    { mean: well.mean * 100 },
  ),
  figure: ({ p99 }) => `p99 ${whole(p99)} ms`,
}
