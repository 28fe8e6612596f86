import { h, type ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConfigStatus } from '../answers.ts'
import { callApi } from '../client.ts'
import { until } from '../format.ts'
import { originOf } from '../origin.ts'
import { ActionButton } from '../parts/actions.ts'
import { Failure } from '../parts/notes.ts'

interface Props {
  readonly status: ConfigStatus
  readonly now: number
  readonly again: () => void
}

/** A change of the configuration that is rolled back unless it is kept, if there is one. */
export function Awaited(props: Props): ComponentChildren {
  const { awaitsConfirmation } = props.status
  return awaitsConfirmation !== null && h(Waiting, { ...props, end: awaitsConfirmation.until })
}

function Waiting({ status, now, again, end }: Props & { end: string }): ComponentChildren {
  const [error, setError] = useState<unknown>(null)
  const section = useRef<HTMLElement>(null)
  // It appears above the form that was used, and there is little time.
  useEffect(() => section.current?.scrollIntoView({ block: 'nearest' }), [])
  const run = async (path: string): Promise<void> => {
    setError(null)
    try {
      // Nobody keeps or rolls back another change than the one shown.
      await callApi(path, { method: 'POST', ...(status.etag !== null && { ifMatch: status.etag }) })
    } catch (thrown) {
      setError(thrown)
    }
    again()
  }
  return h(
    'section',
    { ref: section, class: 'awaited', 'aria-label': 'A change is waiting for confirmation' },
    h(
      'div',
      null,
      h('h2', null, `A ${originOf(status.origin)} is in effect and waiting for confirmation`),
      h('p', null, `It is rolled back automatically ${until(end, now)} unless you keep it. Check the overview first.`),
    ),
    h(
      'div',
      { class: 'actions' },
      h(
        ActionButton,
        { method: 'POST', path: '/config/rollback', onClick: () => void run('/config/rollback') },
        'Roll back now',
      ),
      h(
        ActionButton,
        {
          method: 'POST',
          path: '/config/confirm',
          class: 'button primary',
          onClick: () => void run('/config/confirm'),
        },
        'Keep it',
      ),
    ),
    error !== null && h(Failure, { title: 'That did not work.', error }),
  )
}
