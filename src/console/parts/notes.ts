import { type ComponentChildren, Fragment, h } from 'preact'
import { wordsOf } from '../client.ts'
import type { Polled } from '../hooks.ts'
import type { Tone } from './marks.ts'

/** An error message. */
export function Failure({ title, error }: { title: string; error: unknown }): ComponentChildren {
  return h('div', { class: 'note critical', role: 'alert' }, h('strong', null, title), ' ', wordsOf(error))
}

/** A message that is not an error. */
export function Note({ tone, children }: { tone: Tone; children?: ComponentChildren }): ComponentChildren {
  return h('div', { class: `note ${tone}`, role: 'status' }, children)
}

/** Gray lines as a placeholder for content that is loading. */
export function Waiting({ lines = 4 }: { lines?: number }): ComponentChildren {
  return h(
    'div',
    { class: 'waiting', role: 'status', 'aria-label': 'Loading' },
    Array.from({ length: lines }, (_, i) => h('span', { key: i })),
  )
}

/** Content once it is loaded; until then a placeholder, or why it failed to load. */
export function Loaded<Answer>({
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
    error !== null &&
      error.status !== 401 &&
      h(Failure, { title: `${what} could not be ${data === null ? 'loaded' : 'updated'}.`, error }),
    data === null ? error === null && h(Waiting, lines === undefined ? {} : { lines }) : children(data),
  )
}
