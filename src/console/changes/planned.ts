import { Fragment, h, type ComponentChildren } from 'preact'
import type { Plan, PlannedChange } from '../answers.ts'
import { plural } from '../format.ts'
import { Badge, Tag, type Tone } from '../parts/marks.ts'
import { Note } from '../parts/notes.ts'
import { yamlOf } from '../yaml.ts'

const CLASSES: Readonly<Record<PlannedChange['class'], readonly [word: string, tone: Tone]>> = {
  'needs-restart': ['needs a restart', 'critical'],
  'ends-tunnels': ['ends streams', 'warning'],
  'resets-state': ['loses state', 'warning'],
  live: ['no interruption', 'good'],
}

/** A plan as a readable list of differences. */
export function Planned({ plan }: { plan: Plan }): ComponentChildren {
  if (plan.same) return h(Note, { tone: 'good' }, 'It is equivalent to the running configuration.')
  return h(
    Fragment,
    null,
    h('p', null, `${plural(plan.changes.length, 'change')}:`),
    h(
      'ul',
      { class: 'changes' },
      plan.changes.map(({ kind, path, class: cost, before, after, written = { before, after }, effects, routes }) =>
        h(
          'li',
          { key: `${kind} ${path}`, class: 'change' },
          h(
            'div',
            { class: 'change-head' },
            h('code', null, path),
            h(Tag, null, kind),
            h(Badge, { tone: CLASSES[cost][1] }, CLASSES[cost][0]),
          ),
          h(
            'div',
            { class: 'difference' },
            kind !== 'added' && h('pre', { class: 'gone' }, marked('−', written.before)),
            kind !== 'removed' && h('pre', { class: 'come' }, marked('+', written.after)),
          ),
          h(
            'ul',
            { class: 'effects' },
            effects.map((effect) => h('li', { key: effect }, effect)),
          ),
          routes !== undefined &&
            routes.length > 0 &&
            h(
              'p',
              { class: 'quiet' },
              `Routes: ${routes.slice(0, 12).join(', ')}${routes.length > 12 ? ` and ${routes.length - 12} more` : ''}`,
            ),
        ),
      ),
    ),
    plan.warnings.length > 0 &&
      h(
        'ul',
        { class: 'problems' },
        plan.warnings.map(({ path, message }) =>
          h('li', { key: path + message }, h('code', { class: 'problem-path' }, path), h('span', null, message)),
        ),
      ),
  )
}

function marked(mark: string, value: unknown): string {
  return yamlOf(value)
    .trimEnd()
    .split('\n')
    .map((line) => `${mark} ${line}`)
    .join('\n')
}
