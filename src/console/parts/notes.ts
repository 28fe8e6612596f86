import { type ComponentChildren, Fragment, h } from 'preact'
import { wordsOf } from '../client.ts'
import type { Polled } from '../hooks.ts'
import type { Tone } from './marks.ts'

/** What went wrong. */
export function Failure({ title, error }: { title: string; error: unknown }): ComponentChildren {
  return h('div', { class: 'note critical', role: 'alert' }, h('strong', null, title), ' ', wordsOf(error))
}

/** A word that is no error. */
export function Note({ tone, children }: { tone: Tone; children?: ComponentChildren }): ComponentChildren {
  return h('div', { class: `note ${tone}`, role: 'status' }, children)
}

/** Grey lines in place of what is still to come. */
export function Waiting({ lines = 4 }: { lines?: number }): ComponentChildren {
  return h(
    'div',
    { class: 'waiting', role: 'status', 'aria-label': 'Loading' },
    Array.from({ length: lines }, (_, i) => h('span', { key: i })),
  )
}

/** What was asked for, once it is there; until then that it is awaited, or why it does not come. */
export function Asked<Answer>({
  polled,
  what,
  lines,
  children,
}: {
  polled: Polled<Answer>
  what: string
  lines?: number
  children: (data: Answer) => ComponentChildren
}): ComponentChildren {
  const { data, error } = polled
  return h(
    Fragment,
    null,
    error !== null && error.status !== 401 && h(Failure, { title: `${what} cannot be shown as they are now.`, error }),
    data === null ? error === null && h(Waiting, lines === undefined ? {} : { lines }) : children(data),
  )
}
