import { h, type ComponentChildren } from 'preact'

/** The value of a field: a text, or whether something is on. */
export type OptionText = string | boolean

/** Labels and examples of options. */
const WORDS: Readonly<Record<string, readonly [label: string, example: string]>> = {
  'timeouts.connect': ['Connect timeout', '2s'],
  'timeouts.response': ['Reply timeout, from the end of the request', '30s'],
  'timeouts.total': ['Total timeout, including retries', '60s'],
  'rate-limit.unauthenticated': ['Requests per anonymous client', '100/m'],
  'rate-limit.authenticated': ['Requests per user', '1000/m'],
  'rate-limit.api_key': ['Requests per API key', '1000/m'],
  maintenance: ['Maintenance: reply 503', ''],
  'retry.off': ['No retries', ''],
  'retry.attempts': ['Retries per request', '1'],
  'retry.budget': ['Retries, as a share of all requests', '20%'],
  'concurrency.off': ['No limit on concurrent requests', ''],
  concurrency: ['Concurrent requests, across all workers', '200'],
}

/** Options that are on or off. */
const SWITCHES: ReadonlySet<string> = new Set(['maintenance', 'retry.off', 'concurrency.off'])

const WEIGHT = /^weight (.+)$/

/** A field for one option, with its problem if there is one. */
export function OptionField({
  option,
  text,
  problem,
  disabled,
  change,
}: {
  option: string
  text: OptionText
  problem: string | null
  disabled: boolean
  change: (text: OptionText) => void
}): ComponentChildren {
  const [label, example] = WORDS[option] ?? [`Weight of ${WEIGHT.exec(option)?.[1] ?? option}`, '1']
  const id = `problem-${option.replaceAll(/[^\w-]/g, '-')}`
  const named = problem === null ? {} : { 'aria-invalid': true, 'aria-describedby': id }
  const isSwitch = SWITCHES.has(option)
  return h(
    'div',
    { class: problem === null ? 'option-field' : 'option-field wrong' },
    h(
      'label',
      { class: isSwitch ? 'field switch' : 'field' },
      h('span', null, label),
      isSwitch
        ? h('input', {
            type: 'checkbox',
            checked: text === true,
            disabled,
            onChange: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(currentTarget.checked),
            ...named,
          })
        : h('input', {
            type: 'text',
            value: text === true || text === false ? '' : text,
            placeholder: `for example ${example}`,
            disabled,
            autoComplete: 'off',
            spellCheck: false,
            onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(currentTarget.value),
            ...named,
          }),
    ),
    problem !== null && h('p', { class: 'field-problem', id, role: 'alert' }, problem),
  )
}
