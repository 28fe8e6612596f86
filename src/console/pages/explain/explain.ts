import { type ComponentChildren, Fragment, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Explanation } from './answers.ts'
import { callApi, wordsOf } from '../../client.ts'
import { Head, Panel } from '../../parts/layout.ts'
import { Failure, Waiting } from '../../parts/notes.ts'
import { go } from '../../place.ts'
import { type Question, questionIn, NAMES, NOTHING, bodyOf } from './question.ts'
import { Form } from './form.ts'
import { Explained } from './explained.ts'

/** What would happen to a request and why, without sending it. */
export function Explain({ query }: { query: URLSearchParams }): ComponentChildren {
  const [question, setQuestion] = useState(questionIn(query))
  const [answer, setAnswer] = useState<Explanation | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const [times, setTimes] = useState(0)
  const text = query.toString()
  /** The parameters that are not in the address, and the address that they belong to. */
  const besides = useRef({ text: '', ...NOTHING })
  useEffect(() => {
    const { headers, body } = besides.current.text === text ? besides.current : NOTHING
    const wanted = { ...questionIn(new URLSearchParams(text)), headers, body }
    setQuestion(wanted)
    setAnswer(null)
    setError(null)
    if (wanted.url === '') return undefined
    const abort = new AbortController()
    setRunning(true)
    callApi<Explanation>('/explain', { method: 'POST', json: bodyOf(wanted), signal: abort.signal })
      .then(
        (explained) => setAnswer(explained),
        (thrown: unknown) => {
          if (!abort.signal.aborted) setError(thrown)
        },
      )
      .finally(() => setRunning(false))
    return () => abort.abort()
  }, [text, times])
  const change = (name: keyof Question, value: string): void => setQuestion({ ...question, [name]: value })
  const submit = (event: Event): void => {
    event.preventDefault()
    const next = new URLSearchParams(
      NAMES.flatMap((name) => (question[name].trim() === '' ? [] : [[name, question[name]]])),
    )
    besides.current = { text: next.toString(), headers: question.headers, body: question.body }
    setTimes(times + 1)
    go(`/console/explain?${next}`, true)
  }
  return h(
    Fragment,
    null,
    h(Head, {
      title: 'Explain',
      about: 'What would happen to a request, and why. Nothing is sent, counted or stored.',
    }),
    h(Panel, { title: 'The request' }, h(Form, { question, change, submit, running })),
    error !== null && h(Failure, { title: 'This request cannot be explained.', error: new Error(wordsOf(error)) }),
    running && answer === null && h(Panel, null, h(Waiting, { lines: 5 })),
    answer !== null && h(Explained, { answer }),
  )
}
