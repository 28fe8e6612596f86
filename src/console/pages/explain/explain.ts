import { type ComponentChildren, Fragment, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Explanation } from '../../answers.ts'
import { ask, wordsOf } from '../../client.ts'
import { Head, Panel } from '../../parts/layout.ts'
import { Failure, Waiting } from '../../parts/notes.ts'
import { go } from '../../place.ts'
import { type Asked, askedOf, NAMES, NOTHING, questionOf } from './asked.ts'
import { Form } from './form.ts'
import { Explained } from './explained.ts'

/** What would happen to a request and why, without sending it. */
export function Explain({ query }: { query: URLSearchParams }): ComponentChildren {
  const [asked, setAsked] = useState(askedOf(query))
  const [answer, setAnswer] = useState<Explanation | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const [times, setTimes] = useState(0)
  const text = query.toString()
  /** The parameters that are not in the address, and the address that they belong to. */
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
