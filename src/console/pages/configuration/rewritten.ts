import { h, type ComponentChildren } from 'preact'
import type { Rewritten } from '../../answers.ts'
import { ago, moment } from '../../format.ts'
import { originOf } from '../../origin.ts'
import { Time } from '../../parts/marks.ts'

/** When and by whom the text of a configuration was last changed without changing what it means. */
export function LastRewritten({ rewritten, now }: { rewritten: Rewritten | null; now: number }): ComponentChildren {
  if (rewritten === null) return 'no'
  const { at, origin } = rewritten
  return h(Time, { at }, `${moment(at)}, ${ago(at, now)}: ${originOf(origin)}`)
}
