import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Plan } from '../../answers.ts'
import { ask } from '../../client.ts'
import { ActionButton } from '../../parts/actions.ts'
import { Panel } from '../../parts/layout.ts'
import { Waiting } from '../../parts/notes.ts'
import type { Part } from './part.ts'
import { Refused } from '../../changes/refused.ts'
import { Planned } from '../../changes/planned.ts'

/** What the current contents of the file would change. */
export function FilePlan({ status, again, ask: question }: Part): ComponentChildren {
  const [plan, setPlan] = useState<Plan | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const look = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      setPlan(await ask<Plan>('/config/plan', { method: 'POST' }))
    } catch (thrown) {
      setPlan(null)
      setError(thrown)
    }
    setRunning(false)
  }
  const apply = (): void =>
    question({
      title: 'Apply the file as it is now?',
      text: 'All of it takes effect in all workers, or nothing.',
      action: 'Apply',
      run: async () => {
        await ask('/config/reload', { method: 'POST' })
        setPlan(null)
        again()
      },
    })
  return h(
    Panel,
    {
      title: 'The file',
      aside: h(
        ActionButton,
        { method: 'POST', path: '/config/plan', disabled: running, onClick: () => void look() },
        running ? 'Comparing …' : 'Compare with what is running',
      ),
    },
    error !== null && h(Refused, { error }),
    running && h(Waiting, { lines: 2 }),
    plan === null &&
      error === null &&
      !running &&
      h(
        'p',
        { class: 'quiet' },
        'Says what the file on the machine of the gateway would change, and what each change costs, without changing anything.',
      ),
    plan !== null &&
      !running &&
      h(
        Fragment,
        null,
        h(Planned, { plan }),
        !plan.same &&
          h(
            'div',
            { class: 'actions' },
            h(
              ActionButton,
              { method: 'POST', path: '/config/reload', class: 'button primary', onClick: apply },
              'Apply the file',
            ),
          ),
      ),
    status.awaitsConfirmation !== null &&
      h(
        'p',
        { class: 'quiet' },
        'A reload ends the wait for a confirmation: the file still has the configuration before.',
      ),
  )
}
