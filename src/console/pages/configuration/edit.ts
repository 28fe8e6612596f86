import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Plan, Written } from '../../answers.ts'
import { callApi } from '../../client.ts'
import { defineDrafts } from '../../drafts.ts'
import { useBarred } from '../../hooks.ts'
import { withLineEnds, withLineFeeds } from '../../line-ends.ts'
import { ActionButton } from '../../parts/actions.ts'
import { Panel } from '../../parts/layout.ts'
import { Note } from '../../parts/notes.ts'
import type { Part } from './part.ts'
import { Apply } from '../../changes/apply.ts'
import { Patch } from '../../changes/patch.ts'
import { Refused } from '../../changes/refused.ts'
import { FateNote } from '../../changes/fate-note.ts'
import { fateOf, type Sent } from '../../sent.ts'
import { Planned } from '../../changes/planned.ts'

interface Draft {
  readonly written: Written
  readonly text: string
  readonly sent: Sent | null
}

const useDraft = defineDrafts<Draft>(({ written, text }) => text !== written.text)

/** An editor for the text of the configuration: changes are applied if that is allowed, otherwise shown as a patch. */
export function Edit({ status, again }: Pick<Part, 'status' | 'again'>): ComponentChildren {
  const [draft, setDraft] = useDraft('text')
  const [plan, setPlan] = useState<Plan | null>(null)
  const [error, setError] = useState<unknown>(null)
  const barred = useBarred('POST', '/config/plan')
  const open = async (): Promise<void> => {
    setError(null)
    try {
      const got = await callApi<Written>('/config/text')
      setDraft({ written: got, text: got.text, sent: null })
    } catch (thrown) {
      setError(thrown)
    }
  }
  const close = (): void => {
    setDraft(null)
    setPlan(null)
    setError(null)
  }
  const sent = draft?.sent ?? null
  const fate = sent === null ? null : fateOf(sent, status)
  if (draft === null)
    return h(
      Panel,
      {
        title: 'Edit',
        aside: h('button', { type: 'button', class: 'button', onClick: () => void open() }, 'Edit the configuration'),
      },
      error !== null && h(Refused, { error }),
      h(
        'p',
        { class: 'quiet' },
        status.writable && barred !== null
          ? 'Only an admin can apply an edit. Yours produces a patch to copy, for the file or its repository.'
          : status.writable
            ? 'Edit the text of the file. It is checked and compared before it is applied, and rolled back automatically unless you keep it.'
            : 'This gateway does not accept configurations over HTTP (admin.writable). An edit produces a patch to copy, for the file or its repository.',
      ),
    )
  const { written, text } = draft
  const isOutdated = fate !== 'waiting' && status.etag !== written.etag
  const compare = async (): Promise<void> => {
    setError(null)
    setPlan(null)
    try {
      setPlan(await callApi<Plan>('/config/plan', { method: 'POST', text }))
    } catch (thrown) {
      setError(thrown)
    }
  }
  return h(
    Panel,
    {
      title: `Edit ${written.file}`,
      aside: h('button', { type: 'button', class: 'button', onClick: close }, 'Discard'),
    },
    h(FateNote, { fate }),
    isOutdated &&
      h(
        Note,
        { tone: 'warning' },
        status.awaitsConfirmation === null
          ? 'The configuration has changed since you opened this text, which can no longer be applied. Copy your changes, which are shown below, discard the text, and edit it again.'
          : 'Another change is in effect, and waits to be kept. Unless it is rolled back, this text can no longer be applied.',
      ),
    written.masked && h(Note, { tone: 'notice' }, 'Secrets are shown as [redacted]: leave those lines as they are.'),
    h('textarea', {
      class: 'editor',
      spellCheck: false,
      'aria-label': `Text of ${written.file}`,
      rows: 24,
      readOnly: fate === 'waiting',
      value: withLineFeeds(text),
      onInput: ({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => {
        setDraft({ written, text: withLineEnds(currentTarget.value, written.text), sent })
        setPlan(null)
      },
    }),
    error !== null && h(Refused, { error }),
    // Masked text is for users who may not send it back.
    status.writable && !written.masked && !(isOutdated && status.awaitsConfirmation === null)
      ? h(
          Fragment,
          null,
          h(
            'div',
            { class: 'actions start' },
            h(
              ActionButton,
              {
                method: 'POST',
                path: '/config/plan',
                disabled: text === written.text || fate === 'waiting',
                onClick: () => void compare(),
              },
              'Check and compare',
            ),
          ),
          plan !== null && h(Planned, { plan }),
          plan !== null &&
            h(Apply, {
              isSame: plan.same,
              file: written.file,
              text,
              etag: written.etag,
              done: ({ etag, until }) => {
                if (until === null) close()
                else setDraft({ written, text, sent: { etag, base: written.etag, since: status.since } })
                setPlan(null)
                again()
              },
            }),
        )
      : h(Patch, { file: written.file, before: written.text, after: text }),
  )
}
