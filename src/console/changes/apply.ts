import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Changed } from '../answers.ts'
import { callApi } from '../client.ts'
import { ActionButton, Confirm } from '../parts/actions.ts'

/** How long a change may wait for its confirmation. */
const CONFIRM_WITHIN = ['30s', '1m', '5m', '15m'] as const

/** Applies a text of the configuration after asking for confirmation; the change is rolled back automatically unless someone keeps it. */
export function Apply({
  file,
  text,
  etag,
  isSame = false,
  done,
}: {
  file: string
  text: string
  /** Of the text that it replaces. */
  etag: string
  /** Whether it means the same, for example because only comments have changed. */
  isSame?: boolean
  done: (changed: Changed) => void
}): ComponentChildren {
  const [within, setWithin] = useState<string>('1m')
  const [asking, setAsking] = useState(false)
  const run = async (): Promise<void> => {
    const path = `/config?${new URLSearchParams({ confirm: within })}`
    done(await callApi<Changed>(path, { method: 'PUT', text, ifMatch: etag }))
  }
  return h(
    Fragment,
    null,
    h(
      'div',
      { class: 'actions start' },
      !isSame &&
        h(
          'label',
          { class: 'field inline' },
          h('span', null, 'Roll back automatically after'),
          h(
            'select',
            {
              value: within,
              onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => setWithin(currentTarget.value),
            },
            CONFIRM_WITHIN.map((each) => h('option', { key: each, value: each }, each)),
          ),
        ),
      h(
        ActionButton,
        { method: 'PUT', path: '/config', class: 'button primary', onClick: () => setAsking(true) },
        'Apply',
      ),
    ),
    asking &&
      h(Confirm, {
        question: {
          title: 'Apply the change?',
          text: isSame
            ? `It is written to ${file}. Nothing else changes.`
            : `It takes effect in all workers at once. After ${within} it is rolled back automatically unless you keep it; only then is it written to ${file}.`,
          action: 'Apply',
          run,
        },
        close: () => setAsking(false),
      }),
  )
}
