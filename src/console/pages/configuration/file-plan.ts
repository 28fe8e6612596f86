import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Plan } from '../../answers.ts'
import { callApi } from '../../client.ts'
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
      setPlan(await callApi<Plan>('/config/plan', { method: 'POST' }))
    } catch (thrown) {
      setPlan(null)
      setError(thrown)
    }
    setRunning(false)
  }
  const apply = (): void =>
    question({
      title: 'Apply the current file?',
      text: 'Either all of it takes effect, in all workers, or none of it.',
      action: 'Apply',
      run: async () => {
        await callApi('/config/reload', { method: 'POST' })
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
        { method: 'POST', path: '/config/plan', busy: running, onClick: () => void look() },
        running ? 'Comparing…' : 'Compare with the running configuration',
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
        'Shows what the file on the gateway’s machine would change and what each change costs. Nothing is changed.',
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
        'A reload cancels the pending confirmation: the file still holds the previous configuration.',
      ),
  )
}
