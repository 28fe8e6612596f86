import { h, type ComponentChildren } from 'preact'
import type { Problem } from '../answers.ts'
import { Refusal } from '../client.ts'
import { Failure } from '../parts/notes.ts'

/** Why the admin API refused the request, with every problem if it lists them. */
export function Refused({ error }: { error: unknown }): ComponentChildren {
  if (!(error instanceof Refusal) || error.problems.length === 0)
    return h(Failure, { title: 'That did not work.', error })
  return h(
    'div',
    { role: 'alert' },
    h('div', { class: 'note critical' }, error.message),
    h(Problems, { problems: error.problems }),
  )
}

/** The problems of a configuration, with their places. */
export function Problems({ problems }: { problems: readonly Problem[] }): ComponentChildren {
  return h(
    'ul',
    { class: 'problems' },
    problems.map(({ file, line, column, path, message }, i) =>
      h(
        'li',
        { key: i },
        file !== null &&
          h(
            'code',
            { class: 'place' },
            `${file}${line === null ? '' : `:${line}${column === null ? '' : `:${column}`}`}`,
          ),
        path !== '' && h('code', { class: 'problem-path' }, path),
        h('span', null, message),
      ),
    ),
  )
}
