import { type ComponentChildren, h } from 'preact'
import { ActionButton } from '../../parts/actions.ts'
import type { Asked } from './asked.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

interface FormProps {
  readonly asked: Asked
  readonly change: (name: keyof Asked, value: string) => void
  readonly submit: (event: Event) => void
  readonly running: boolean
}

/** The form for a question. */
export function Form({ asked, change, submit, running }: FormProps): ComponentChildren {
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
