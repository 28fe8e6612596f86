import { type ComponentChildren, h } from 'preact'
import type { Explanation } from './answers.ts'
import { decisionWords } from '../../decisions.ts'
import { Badge, Tag, type Tone } from '../../parts/marks.ts'

const VERDICTS: Readonly<Record<string, readonly [word: string, tone: Tone]>> = {
  passed: ['passed', 'good'],
  answered: ['answered', 'notice'],
  refused: ['refused', 'critical'],
  'not-reached': ['not reached', 'plain'],
  'not-run': ['not run', 'plain'],
  off: ['off', 'plain'],
}

/** The verdict of one policy. */
export function Step({ policy }: { policy: Explanation['policies'][number] }): ComponentChildren {
  const { name, verdict, origin, status, code, detail, request, reply, events } = policy
  const [word, tone] = VERDICTS[verdict] ?? [verdict, 'plain']
  const changes: readonly (readonly [string, readonly string[]])[] = [
    ['sets on the request', request.set],
    ['removes from the request', request.removed],
    ['sets on the reply', reply.set],
    ['removes from the reply', reply.removed],
  ]
  const applied = changes.filter(([, names]) => names.length > 0)
  return h(
    'li',
    { class: verdict === 'not-reached' || verdict === 'off' ? 'policy faded' : 'policy' },
    h(
      'div',
      { class: 'policy-head' },
      h('strong', null, name),
      h(
        'span',
        { class: 'tags' },
        h(
          'span',
          { class: 'quiet' },
          origin === 'global' ? 'global' : origin === 'route' ? 'this route' : 'global, changed by this route',
        ),
        h(Badge, { tone }, status === null ? word : `${word}, ${status}${code === null ? '' : ` ${code}`}`),
      ),
    ),
    detail !== null && h('p', null, detail),
    applied.length > 0 &&
      h(
        'dl',
        { class: 'options single' },
        applied.map(([what, names]) =>
          h(
            'div',
            { key: what },
            h('dt', null, what),
            h(
              'dd',
              null,
              names.map((each) => h(Tag, { key: each }, each)),
            ),
          ),
        ),
      ),
    events.length > 0 &&
      h(
        'ul',
        { class: 'effects' },
        events.map((event, i) => h('li', { key: i }, decisionWords(event).join(': '))),
      ),
  )
}
