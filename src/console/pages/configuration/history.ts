import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ConfigStatus, Plan } from '../../answers.ts'
import { callApi } from '../../client.ts'
import { ago, moment, short } from '../../format.ts'
import { originOf } from '../../origin.ts'
import { ActionButton } from '../../parts/actions.ts'
import { Empty, Panel } from '../../parts/layout.ts'
import { Time } from '../../parts/marks.ts'
import { Table } from '../../parts/table.ts'
import { Planned } from '../../changes/planned.ts'
import { Refused } from '../../changes/refused.ts'
import type { Part } from './part.ts'
import { LastRewritten } from './rewritten.ts'

/** The previous configurations, and how to return to them. */
export function History({ status, again, ask: question, now }: Part & { now: number }): ComponentChildren {
  const { earlier } = status
  const [comparing, setComparing] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const compare = async (): Promise<void> => {
    setComparing(true)
    setError(null)
    try {
      back(await callApi<Plan>('/config/plan?back=true', { method: 'POST' }))
    } catch (thrown) {
      setError(thrown)
    }
    setComparing(false)
  }
  const back = (plan: Plan): void =>
    question({
      title: 'Go back to the previous configuration?',
      text: h(
        Fragment,
        null,
        h(
          'p',
          null,
          'The previous text is read with the current variables and files, applied in all workers, and written to the file.',
        ),
        h(Planned, { plan }),
      ),
      action: 'Go back',
      broad: true,
      danger: true,
      run: async () => {
        await callApi('/config/rollback', {
          method: 'POST',
          ...(status.etag !== null && { ifMatch: status.etag }),
        })
        again()
      },
    })
  return h(
    Panel,
    {
      title: 'History',
      // A pending change has a button of its own.
      ...(earlier.length > 0 &&
        status.writable &&
        status.awaitsConfirmation === null && {
          aside: h(
            ActionButton,
            { method: 'POST', path: '/config/rollback', busy: comparing, onClick: () => void compare() },
            comparing ? 'Comparing…' : 'Go back to the previous one',
          ),
        }),
      flush: earlier.length > 0,
    },
    error !== null && h(Refused, { error }),
    earlier.length === 0
      ? h(Empty, { title: 'No earlier configuration' }, 'The last five that this process has applied appear here.')
      : h(Table<ConfigStatus['earlier'][number]>, {
          label: 'Earlier configurations',
          rows: earlier,
          keyOf: ({ generation }) => String(generation),
          columns: [
            { head: 'Number', cell: ({ generation }) => String(generation) },
            { head: 'Revision', cell: ({ revision }) => h('code', { title: revision }, short(revision)) },
            {
              head: 'In effect since',
              cell: ({ since }) => h(Time, { at: since }, `${moment(since)}, ${ago(since, now)}`),
            },
            { head: 'Origin', cell: ({ origin }) => originOf(origin) },
            { head: 'Comments changed', cell: ({ rewritten }) => h(LastRewritten, { rewritten, now }) },
          ],
        }),
  )
}
