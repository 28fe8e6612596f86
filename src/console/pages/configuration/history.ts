import { h, type ComponentChildren } from 'preact'
import type { ConfigStatus } from '../../answers.ts'
import { callApi } from '../../client.ts'
import { ago, moment, short } from '../../format.ts'
import { ActionButton } from '../../parts/actions.ts'
import { Empty, Panel } from '../../parts/layout.ts'
import { Time } from '../../parts/marks.ts'
import { Table } from '../../parts/table.ts'
import type { Part } from './part.ts'

/** The previous configurations, and how to return to them. */
export function History({ status, again, ask: question, now }: Part & { now: number }): ComponentChildren {
  const { earlier } = status
  const back = (): void =>
    question({
      title: 'Go back to the previous configuration?',
      text: 'The previous text is read with the current variables and files, applied in all workers, and written to the file.',
      action: 'Go back',
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
            { method: 'POST', path: '/config/rollback', onClick: back },
            'Go back to the previous one',
          ),
        }),
      flush: earlier.length > 0,
    },
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
          ],
        }),
  )
}
