import { type ComponentChildren, h } from 'preact'
import { moment, zone } from '../format.ts'

/** The meaning of a badge's color. */
export type Tone = 'good' | 'warning' | 'critical' | 'notice' | 'plain'

/** A short word for a state. */
export function Badge({ tone, children }: { tone: Tone; children?: ComponentChildren }): ComponentChildren {
  return h('span', { class: `badge ${tone}` }, h('span', { class: 'dot', 'aria-hidden': true }), children)
}

/** A word that is not a state, such as a method or the name of a policy. */
export function Tag({ children }: { children?: ComponentChildren }): ComponentChildren {
  return h('span', { class: 'tag' }, children)
}

/** A point in time, with its date and zone in the tooltip. */
export function Time({ at, children }: { at: string | number; children?: ComponentChildren }): ComponentChildren {
  return h('time', { dateTime: new Date(at).toISOString(), title: moment(at) }, children)
}

/** Names the zone of the times on a page. */
export function Zone(): ComponentChildren {
  return h('span', { class: 'quiet' }, `Times in ${zone()}`)
}

/** A link inside the console, or to another URL. */
export function Link({
  href,
  children,
  class: name,
}: {
  href: string
  children?: ComponentChildren
  class?: string
}): ComponentChildren {
  return h('a', { href, ...(name !== undefined && { class: name }) }, children)
}
