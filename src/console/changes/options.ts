import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ConfigStatus, Edited } from '../answers.ts'
import { callApi } from '../client.ts'
import { defineDrafts } from '../drafts.ts'
import { useLive, useNow, usePolled } from '../hooks.ts'
import { ActionButton } from '../parts/actions.ts'
import { Panel } from '../parts/layout.ts'
import { Note } from '../parts/notes.ts'
import { Apply } from './apply.ts'
import { Awaited } from './awaited.ts'
import { OptionField, type OptionText } from './option-field.ts'
import { Patch } from './patch.ts'
import { Planned } from './planned.ts'
import { Refused } from './refused.ts'
import { FateNote } from './fate-note.ts'
import { fateOf, type Sent } from '../sent.ts'

interface Subject {
  readonly kind: 'route' | 'service'
  readonly name: string
}

interface Draft {
  readonly edited: Edited
  readonly texts: Readonly<Record<string, OptionText>>
  readonly sent: Sent | null
}

const useDraft = defineDrafts<Draft>(({ edited, texts }) => Object.keys(changesOf(edited, texts)).length > 0)

/**
 * A form for the options of a route or a service: the change is first compared, then applied if that is allowed, otherwise shown as a
 * patch.
 */
export function Options({ kind, name }: Subject): ComponentChildren {
  const live = useLive()
  const now = useNow()
  const status = usePolled<ConfigStatus>('/config/status', 3000, live.changes)
  const [draft, setDraft] = useDraft(`${kind} ${name}`)
  const [result, setResult] = useState<Edited | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const send = async (changes: object): Promise<Edited | null> => {
    setRunning(true)
    setError(null)
    try {
      return await callApi<Edited>('/config/edit', { method: 'POST', json: { kind, name, changes } })
    } catch (thrown) {
      setError(thrown)
      return null
    } finally {
      setRunning(false)
    }
  }
  const open = async (): Promise<void> => {
    const answer = await send({})
    if (answer === null) return
    const texts = Object.fromEntries(answer.options.map(({ option, value }) => [option, textOf(value)]))
    setDraft({ edited: answer, texts, sent: null })
  }
  const close = (): void => {
    setDraft(null)
    setResult(null)
    setError(null)
  }
  const sent = draft?.sent ?? null
  const fate = sent === null || status.data === null ? null : fateOf(sent, status.data)
  const awaited = status.data !== null && h(Awaited, { status: status.data, now, again: status.again })
  if (draft === null)
    return h(
      Fragment,
      null,
      awaited,
      h(
        Panel,
        {
          title: 'Edit',
          aside: h(
            ActionButton,
            { method: 'POST', path: '/config/edit', busy: running, onClick: () => void open() },
            `Edit this ${kind}`,
          ),
        },
        error !== null && h(Refused, { error }),
        h(
          'p',
          { class: 'quiet' },
          kind === 'route'
            ? 'Rate limits, timeouts and maintenance of this route; edit the text of the configuration for anything else.'
            : 'Timeouts, retries, the concurrency limit and the weights of instances; edit the text of the configuration for anything else.',
        ),
      ),
    )
  const { edited, texts } = draft
  const changes = changesOf(edited, texts)
  const check = async (event: Event): Promise<void> => {
    event.preventDefault()
    setResult(await send(changes))
    status.again()
  }
  const isOutdated = result !== null && status.data !== null && status.data.etag !== result.etag
  const loose = result?.problems.filter(({ option }) => option === null) ?? []
  return h(
    Fragment,
    null,
    awaited,
    h(
      Panel,
      {
        title: `Edit this ${kind}`,
        aside: h('button', { type: 'button', class: 'button', onClick: close }, 'Discard'),
      },
      h(FateNote, { fate }),
      h(
        'form',
        { class: 'option-form', onSubmit: (event: Event) => void check(event) },
        h(
          'div',
          { class: 'option-fields' },
          edited.options.map(({ option }) =>
            h(OptionField, {
              key: option,
              option,
              text: texts[option] ?? '',
              problem: result?.problems.find((each) => each.option === option)?.message ?? null,
              disabled: fate === 'waiting' || isSwitchedOff(option, texts),
              change: (text) => {
                setDraft({ edited, texts: { ...texts, [option]: text }, sent })
                setResult(null)
              },
            }),
          ),
        ),
        h('p', { class: 'quiet' }, 'Leave a field empty to use the global setting or the default.'),
        h(
          'div',
          { class: 'actions start' },
          h(
            ActionButton,
            {
              method: 'POST',
              path: '/config/edit',
              type: 'submit',
              busy: running,
              disabled: fate === 'waiting' || Object.keys(changes).length === 0,
            },
            running ? 'Comparing…' : 'Check and compare',
          ),
        ),
      ),
      error !== null && h(Refused, { error }),
      result !== null &&
        result.problems.length > 0 &&
        h(
          Note,
          { tone: 'critical' },
          ['Nothing can be applied yet.', ...loose.map(({ path, message }) => `${path}: ${message}`)].join(' '),
        ),
      result !== null && result.plan !== null && h(Planned, { plan: result.plan }),
      isOutdated &&
        h(Note, { tone: 'warning' }, 'The configuration has changed since this was compared: check and compare again.'),
      result !== null &&
        !isOutdated &&
        result.plan?.same === false &&
        (result.writable
          ? h(Apply, {
              file: result.file,
              text: result.after,
              etag: result.etag,
              done: ({ etag, until: end }) => {
                if (end === null) close()
                else setDraft({ edited, texts, sent: { etag, base: result.etag, since: status.data?.since ?? '' } })
                setResult(null)
                status.again()
              },
            })
          : h(Patch, { file: result.file, before: result.before, after: result.after })),
    ),
  )
}

function textOf(value: Edited['options'][number]['value']): OptionText {
  if (typeof value === 'boolean') return value
  return value === null ? '' : String(value)
}

/** Whether the form says that something is off which the option is about. */
function isSwitchedOff(option: string, texts: Readonly<Record<string, OptionText>>): boolean {
  const [subject] = option.split('.')
  return !option.endsWith('.off') && texts[`${subject}.off`] === true
}

/** The values that differ from the current text, in the form of POST /config/edit. */
function changesOf({ options }: Edited, texts: Readonly<Record<string, OptionText>>): Record<string, unknown> {
  const changed = options.filter(
    ({ option, value }) => !isSwitchedOff(option, texts) && (texts[option] || '') !== (textOf(value) || ''),
  )
  return Object.fromEntries(changed.map(({ option }) => [option, valueOf(texts[option] ?? '')]))
}

function valueOf(text: OptionText): unknown {
  if (typeof text === 'boolean') return text ? true : null
  const trimmed = text.trim()
  if (trimmed === '') return null
  return /^\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed
}
