import type { Drill } from '../drill.ts'
import { close, half500, half503, reset, slow, truncated } from './failing.ts'
import { killed, moved, refused, stopped } from './gone.ts'
import { bimodal, healthy } from './healthy.ts'
import { overload, sick, storm } from './overloaded.ts'

/** All drills, in the order in which they run; the baseline comes first. */
export const drills: readonly Drill[] = [
  healthy,
  reset,
  close,
  half503,
  half500,
  truncated,
  slow,
  stopped,
  killed,
  refused,
  moved,
  storm,
  overload,
  sick,
  bimodal,
]
