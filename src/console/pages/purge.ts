import { type ComponentChildren, Fragment, h } from 'preact'
import { useState } from 'preact/hooks'
import { callApi } from '../client.ts'
import { plural } from '../format.ts'
import { ActionButton, Confirm, type Question } from '../parts/actions.ts'
import { Panel } from '../parts/layout.ts'
import { Failure, Note } from '../parts/notes.ts'
import { type OnReplicas, type Said, saidOf } from '../said.ts'

/** What can be purged, and its name in the form. */
const KINDS = { prefix: 'URLs that begin with', url: 'One URL', group: 'Cache group' } as const

type Kind = keyof typeof KINDS

/** Purges stored replies: of one URL, of all that begin with one, or of a cache group. */
export function Purge(): ComponentChildren {
  const [kind, setKind] = useState<Kind>('prefix')
  const [url, setUrl] = useState('')
  const [host, setHost] = useState('')
  const [group, setGroup] = useState('')
  const [said, setSaid] = useState<Said | null>(null)
  const [question, setQuestion] = useState<Question | null>(null)
  const [error, setError] = useState<unknown>(null)
  const purge = (event: Event): void => {
    event.preventDefault()
    setSaid(null)
    const wrong = kind === 'group' ? groupProblem(host, group) : urlProblem(url)
    setError(wrong === null ? null : new Error(wrong))
    if (wrong !== null) return
    setQuestion({
      title: 'Purge stored replies?',
      text: h(
        Fragment,
        null,
        kind === 'group' ? groupText(host, group) : urlText(kind, url),
        ' are purged in all gateways that share the cache. The next requests go to the services.',
      ),
      action: 'Purge',
      run: async () => {
        const answer = await callApi<{ purged: number } & OnReplicas>('/cache/purge', {
          method: 'POST',
          json: kind === 'group' ? { host, group } : { [kind]: url },
        })
        const { purged } = answer
        const what =
          purged === 0 ? 'Nothing matching was stored.' : `${plural(purged, 'stored reply', 'stored replies')} purged.`
        setSaid(saidOf(what, answer))
      },
    })
  }
  return h(
    Panel,
    { title: 'Purge stored replies' },
    h(
      'form',
      { class: 'filters', onSubmit: purge },
      h(
        'label',
        { class: 'field' },
        h('span', null, 'What'),
        h(
          'select',
          {
            value: kind,
            onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
              setKind(isKind(currentTarget.value) ? currentTarget.value : 'prefix'),
          },
          Object.entries(KINDS).map(([value, name]) => h('option', { value }, name)),
        ),
      ),
      kind === 'group'
        ? [
            h(Field, { key: 'host', name: 'Host', example: 'api.example.com', value: host, set: setHost }),
            h(Field, { key: 'group', name: 'Group', example: 'products', value: group, set: setGroup }),
          ]
        : h(Field, { key: 'url', name: 'URL', example: 'http://api.example.com/products', value: url, set: setUrl }),
      h(ActionButton, { method: 'POST', path: '/cache/purge', type: 'submit', class: 'button primary' }, 'Purge'),
    ),
    error !== null && h(Failure, { title: '', error }),
    said !== null && h(Note, { tone: said.tone }, said.text),
    question !== null && h(Confirm, { question, close: () => setQuestion(null) }),
  )
}

function Field({
  name,
  example,
  value,
  set,
}: {
  name: string
  example: string
  value: string
  set: (value: string) => void
}): ComponentChildren {
  return h(
    'label',
    { class: 'field grow' },
    h('span', null, name),
    h('input', {
      type: 'text',
      inputMode: 'url',
      placeholder: example,
      value,
      onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => set(currentTarget.value),
    }),
  )
}

function isKind(text: string): text is Kind {
  return text in KINDS
}

function urlProblem(url: string): string | null {
  if (/^https?:\/\/[^/]/i.test(url)) return null
  return 'Enter the URL as clients request it, with its scheme and host, for example http://api.example.com/products.'
}

function groupProblem(host: string, group: string): string | null {
  if (/^[^/]+$/.test(host) && group !== '') return null
  return 'Enter the host as clients name it, such as api.example.com, and a group that services name in Cache-Groups.'
}

function urlText(kind: 'prefix' | 'url', url: string): ComponentChildren {
  return [kind === 'url' ? 'The replies to ' : 'All replies to URLs that begin with ', h('code', null, url)]
}

function groupText(host: string, group: string): ComponentChildren {
  return ['All replies of ', h('code', null, host), ' in the group ', h('code', null, group)]
}
