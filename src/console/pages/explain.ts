import { type ComponentChildren, Fragment, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Explanation, Request } from '../answers.ts'
import { ask, wordsOf } from '../client.ts'
import { links, statusTone } from '../names.ts'
import {
  ActionButton,
  Badge,
  Copy,
  Empty,
  Facts,
  Failure,
  Head,
  Link,
  Panel,
  Table,
  Tag,
  type Tone,
  Waiting,
} from '../parts.ts'
import { go } from '../place.ts'

/** What is asked about, as it is typed. */
interface Asked {
  readonly method: string
  readonly url: string
  readonly from: string
  readonly headers: string
  readonly body: string
  readonly as: string
  readonly tier: string
}

/** What the address has of it: browsers remember that, so header fields and body, where credentials are, stay out of it. */
const NAMES = ['method', 'url', 'from', 'as', 'tier'] as const
const NOTHING = { headers: '', body: '' }
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

/** Where a request that ended is explained. */
export function explainLink({ method, host, path, query, client, consumer, tier }: Request): string {
  const asked = new URLSearchParams({
    method,
    url: host === '' ? path + query : `http://${host}${path}${query}`,
    from: client,
  })
  if (consumer !== null) asked.set('as', consumer)
  if (tier !== null) asked.set('tier', tier)
  return `/console/explain?${asked}`
}

/** What would become of a request, and why, without sending it. */
export function Explain({ query }: { query: URLSearchParams }): ComponentChildren {
  const [asked, setAsked] = useState(askedOf(query))
  const [answer, setAnswer] = useState<Explanation | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const [times, setTimes] = useState(0)
  const text = query.toString()
  /** What is asked besides what is in the address, and in which one. */
  const besides = useRef({ text: '', ...NOTHING })
  useEffect(() => {
    const { headers, body } = besides.current.text === text ? besides.current : NOTHING
    const wanted = { ...askedOf(new URLSearchParams(text)), headers, body }
    setAsked(wanted)
    setAnswer(null)
    setError(null)
    if (wanted.url === '') return undefined
    const abort = new AbortController()
    setRunning(true)
    ask<Explanation>('/explain', { method: 'POST', json: questionOf(wanted), signal: abort.signal })
      .then(
        (explained) => setAnswer(explained),
        (thrown: unknown) => {
          if (!abort.signal.aborted) setError(thrown)
        },
      )
      .finally(() => setRunning(false))
    return () => abort.abort()
  }, [text, times])
  const change = (name: keyof Asked, value: string): void => setAsked({ ...asked, [name]: value })
  const submit = (event: Event): void => {
    event.preventDefault()
    const next = new URLSearchParams(NAMES.flatMap((name) => (asked[name].trim() === '' ? [] : [[name, asked[name]]])))
    besides.current = { text: next.toString(), headers: asked.headers, body: asked.body }
    setTimes(times + 1)
    go(`/console/explain?${next}`, true)
  }
  return h(
    Fragment,
    null,
    h(Head, {
      title: 'Explain',
      about: 'What would become of a request, and why. Nothing is sent, counted or stored.',
    }),
    h(Panel, { title: 'The request' }, h(Form, { asked, change, submit, running })),
    error !== null && h(Failure, { title: 'That cannot be explained.', error: new Error(wordsOf(error)) }),
    running && answer === null && h(Panel, null, h(Waiting, { lines: 5 })),
    answer !== null && h(Explained, { answer }),
  )
}

function askedOf(query: URLSearchParams): Asked {
  const of = (name: string, otherwise = ''): string => query.get(name) ?? otherwise
  return {
    method: of('method', 'GET'),
    url: of('url'),
    from: of('from'),
    ...NOTHING,
    as: of('as'),
    tier: of('tier'),
  }
}

function questionOf({ method, url, from, headers, body, as, tier }: Asked): object {
  const fields = new Map<string, string[]>()
  for (const line of headers.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).trim()
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return {
    method,
    url,
    headers: Object.fromEntries(fields),
    ...(body !== '' && { body }),
    ...(from !== '' && { from }),
    ...(as !== '' && { as: { id: as, ...(tier !== '' && { tier }) } }),
  }
}

interface FormProps {
  readonly asked: Asked
  readonly change: (name: keyof Asked, value: string) => void
  readonly submit: (event: Event) => void
  readonly running: boolean
}

function Form({ asked, change, submit, running }: FormProps): ComponentChildren {
  const field = (name: keyof Asked, label: string, placeholder: string, grow = false): ComponentChildren =>
    h(
      'label',
      { class: grow ? 'field grow' : 'field' },
      h('span', null, label),
      h('input', {
        type: 'text',
        placeholder,
        value: asked[name],
        autoComplete: 'off',
        spellCheck: false,
        onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(name, currentTarget.value),
      }),
    )
  const lines = (name: keyof Asked, label: string, placeholder: string): ComponentChildren =>
    h(
      'label',
      { class: 'field grow' },
      h('span', null, label),
      h('textarea', {
        rows: 3,
        class: 'lines',
        placeholder,
        value: asked[name],
        spellCheck: false,
        onInput: ({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => change(name, currentTarget.value),
      }),
    )
  return h(
    'form',
    { class: 'explain-form', onSubmit: submit },
    h(
      'div',
      { class: 'filters' },
      h(
        'label',
        { class: 'field' },
        h('span', null, 'Method'),
        h(
          'select',
          {
            value: asked.method,
            onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
              change('method', currentTarget.value),
          },
          [...new Set([...METHODS, asked.method])].map((method) => h('option', { key: method, value: method }, method)),
        ),
      ),
      field('url', 'URL or path', 'http://api.example.com/books/1 or /books/1', true),
      field('from', 'Client', '127.0.0.1'),
      h(
        ActionButton,
        {
          method: 'POST',
          path: '/explain',
          type: 'submit',
          class: 'button primary',
          disabled: running || asked.url.trim() === '',
        },
        running ? 'One moment …' : 'Explain',
      ),
    ),
    h(
      'details',
      { open: asked.headers !== '' || asked.body !== '' || asked.as !== '' },
      h('summary', null, 'Header fields, body, and whom it comes from'),
      h(
        'div',
        { class: 'filters' },
        lines('headers', 'Header fields, one a line', 'Accept: application/json'),
        lines('body', 'Body', ''),
      ),
      h(
        'div',
        { class: 'filters' },
        field('as', 'As the consumer', 'as its header fields prove'),
        field('tier', 'Tier', 'authenticated'),
      ),
    ),
  )
}

const VERDICTS: Readonly<Record<string, readonly [word: string, tone: Tone]>> = {
  passed: ['passed', 'good'],
  answered: ['answered', 'notice'],
  refused: ['refused', 'critical'],
  'not-reached': ['not reached', 'plain'],
  'not-run': ['not run', 'plain'],
  off: ['off', 'plain'],
}

function Explained({ answer }: { answer: Explanation }): ComponentChildren {
  const { outcome, status, code, detail, service, route, path, routes, policies, sent, reply, notes, consumer, leads } =
    answer
  const next = service?.instances.find((instance) => instance.next)
  return h(
    Fragment,
    null,
    h(
      Panel,
      null,
      h(
        'div',
        { class: 'story-head' },
        outcome === 'sent'
          ? h(Badge, { tone: 'good' }, 'sent on')
          : h(Badge, { tone: statusTone(status ?? 500) }, String(status)),
        h(
          'strong',
          { class: 'verdict' },
          outcome === 'sent'
            ? `It would go to ${service?.name ?? 'its service'}${next === undefined ? '' : `, instance ${next.address}`}.`
            : `The gateway would reply ${status}${code === null ? '' : ` (${code})`}.`,
        ),
      ),
      detail !== null && h('p', null, detail),
      h(Facts, {
        facts: [
          [
            'Path',
            path.refused === null ? h('code', null, path.normal ?? path.written) : `${path.written}: ${path.refused}`,
          ],
          ['Route', route === null ? 'none takes it' : h(Link, { href: links.route(route.id) }, route.id)],
          ['Consumer', consumer === null ? 'nobody that is known' : `${consumer.id}, tier ${consumer.tier}`],
          ['Listener', answer.listener === '' ? 'without a name' : answer.listener],
          ...(leads.length === 0 ? [] : [['Leads to', leads.join('; ')] as const]),
        ],
      }),
      notes.length > 0 &&
        h(
          'ul',
          { class: 'effects' },
          notes.map((note) => h('li', { key: note }, note)),
        ),
    ),
    h(
      Panel,
      {
        title: 'Routes that were tried',
        aside: routes.others === 0 ? '' : `${routes.others} more are for other paths`,
        flush: true,
      },
      routes.candidates.length === 0
        ? h(Empty, { title: 'No route is for that path' })
        : h(Table<Explanation['routes']['candidates'][number]>, {
            label: 'Routes that were tried',
            rows: routes.candidates,
            keyOf: (candidate) => `${candidate.route} ${candidate.pattern} ${candidate.host} ${candidate.listener}`,
            columns: [
              {
                head: 'Route',
                cell: (candidate) => h(Link, { href: links.route(candidate.route), class: 'strong' }, candidate.route),
              },
              {
                head: 'Pattern',
                cell: ({ pattern, host }) => h('code', null, host === null ? pattern : `${host} ${pattern}`),
              },
              {
                head: 'Why',
                cell: ({ taken, lacks }) =>
                  taken
                    ? h(Badge, { tone: 'good' }, 'taken')
                    : lacks.length === 0
                      ? h('span', { class: 'quiet' }, 'another came first')
                      : lacks.join('; '),
              },
            ],
          }),
    ),
    h(
      Panel,
      { title: 'Policies', aside: 'The outermost first' },
      policies.length === 0
        ? h(Empty, { title: 'No policies' })
        : h(
            'ol',
            { class: 'policies' },
            policies.map((policy) => h(Step, { key: policy.name, policy })),
          ),
    ),
    service !== null &&
      h(
        Panel,
        {
          title: `Instances of ${service.name}`,
          aside: `${service.balancer}${service.limit === null ? '' : `, at most ${service.limit} at a time`}`,
          flush: true,
        },
        h(Table<(typeof service)['instances'][number]>, {
          label: `Instances of ${service.name}`,
          rows: service.instances,
          keyOf: ({ address }) => address,
          columns: [
            { head: 'Instance', cell: ({ address }) => h('strong', null, address) },
            {
              head: 'State',
              cell: ({ state, unusable }) =>
                unusable === null ? h(Badge, { tone: 'good' }, state) : h(Badge, { tone: 'warning' }, unusable),
            },
            { head: 'Weight', numeric: true, cell: ({ weight }) => String(weight) },
            { head: 'In flight', numeric: true, cell: ({ inFlight }) => String(inFlight) },
            {
              head: 'Next',
              cell: ({ next: isNext }) =>
                isNext ? h(Badge, { tone: 'notice' }, 'would be asked') : h('span', { class: 'quiet' }, '–'),
            },
          ],
        }),
      ),
    sent !== null &&
      h(Message, {
        title: 'As it would leave for the service',
        text: [
          `${sent.method} ${sent.target}`,
          `Host: ${sent.host}`,
          ...sent.fields.map(({ name, value }) => `${name}: ${value}`),
        ].join('\n'),
      }),
    reply.length > 0 &&
      h(Message, {
        title: outcome === 'sent' ? 'Fields that the gateway adds to the reply' : 'The reply',
        text: reply.map(({ name, value }) => `${name}: ${value}`).join('\n'),
      }),
  )
}

function Step({ policy }: { policy: Explanation['policies'][number] }): ComponentChildren {
  const { name, verdict, origin, status, code, detail, request, reply, events } = policy
  const [word, tone] = VERDICTS[verdict] ?? [verdict, 'plain']
  const changes: readonly (readonly [string, readonly string[]])[] = [
    ['sets in the request', request.set],
    ['removes from the request', request.removed],
    ['sets in the reply', reply.set],
    ['removes from the reply', reply.removed],
  ]
  const told = changes.filter(([, names]) => names.length > 0)
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
          origin === 'general' ? 'for every route' : origin === 'route' ? 'of this route' : 'changed by this route',
        ),
        h(Badge, { tone }, status === null ? word : `${word}, ${status}${code === null ? '' : ` ${code}`}`),
      ),
    ),
    detail !== null && h('p', null, detail),
    told.length > 0 &&
      h(
        'dl',
        { class: 'options' },
        told.map(([what, names]) =>
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
        events.map((event, i) =>
          h(
            'li',
            { key: i },
            `${event.name}: ${Object.entries(event.attributes)
              .map(([key, value]) => `${key} ${String(value)}`)
              .join(', ')}`,
          ),
        ),
      ),
  )
}

function Message({ title, text }: { title: string; text: string }): ComponentChildren {
  return h(Panel, { title, aside: h(Copy, { text }) }, h('pre', { class: 'code', tabIndex: 0 }, text))
}
