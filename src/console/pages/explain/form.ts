import { type ComponentChildren, h } from 'preact'
import { ActionButton } from '../../parts/actions.ts'
import type { Question } from './question.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

interface FormProps {
  readonly question: Question
  readonly change: (name: keyof Question, value: string) => void
  readonly submit: (event: Event) => void
  readonly running: boolean
}

/** The form for a question. */
export function Form({ question, change, submit, running }: FormProps): ComponentChildren {
  const field = (name: keyof Question, label: string, placeholder: string, grow = false): ComponentChildren =>
    h(
      'label',
      { class: grow ? 'field grow' : 'field' },
      h('span', null, label),
      h('input', {
        type: 'text',
        placeholder,
        value: question[name],
        autoComplete: 'off',
        spellCheck: false,
        onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(name, currentTarget.value),
      }),
    )
  const lines = (name: keyof Question, label: string, placeholder: string): ComponentChildren =>
    h(
      'label',
      { class: 'field grow' },
      h('span', null, label),
      h('textarea', {
        rows: 3,
        class: 'lines',
        placeholder,
        value: question[name],
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
            value: question.method,
            onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
              change('method', currentTarget.value),
          },
          [...new Set([...METHODS, question.method])].map((method) =>
            h('option', { key: method, value: method }, method),
          ),
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
          busy: running,
          disabled: question.url.trim() === '',
        },
        running ? 'One moment…' : 'Explain',
      ),
    ),
    h(
      'details',
      { open: question.headers !== '' || question.body !== '' || question.as !== '' },
      h('summary', null, 'Headers, body and consumer'),
      h(
        'div',
        { class: 'filters' },
        lines('headers', 'Headers, one per line', 'Accept: application/json'),
        lines('body', 'Body', ''),
      ),
      h(
        'div',
        { class: 'filters' },
        field('as', 'As the consumer', 'from its credentials'),
        field('tier', 'Tier', 'authenticated'),
      ),
    ),
  )
}
