import { h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ApiKey, RotatedKey } from './answers.ts'
import { callApi } from '../../client.ts'
import { moment } from '../../format.ts'
import { saidOf } from '../../said.ts'
import { KeyDialog, TextField } from './key-dialog.ts'

/** How long an old key may stay valid, with labels. */
const OVERLAPS: readonly (readonly [time: string, words: string])[] = [
  ['0s', 'no longer: it ends at once'],
  ['1h', 'for an hour'],
  ['24h', 'for a day'],
  ['7d', 'for a week'],
  ['30d', 'for 30 days'],
]

/** The dialog that replaces a key, which stays valid for a while. */
export function RotateKey({
  known: { id, expiresAt, store },
  close,
  again,
}: {
  known: ApiKey
  close: () => void
  again: () => void
}): ComponentChildren {
  const [overlap, setOverlap] = useState('24h')
  const [expires, setExpires] = useState('')
  const make = async (): Promise<RotatedKey> => {
    const json = { overlap, ...(expires.trim() !== '' && { expires: expires.trim() }) }
    const rotated = await callApi<RotatedKey>(`/keys/${encodeURIComponent(id)}/rotate`, { method: 'POST', json })
    again()
    return rotated
  }
  return h(
    KeyDialog<RotatedKey>,
    { title: `Rotate ${id}`, action: 'Rotate', ready: true, make, aboutOf, close },
    h(
      'p',
      { class: 'quiet' },
      'Creates a key with the same ID, owner, tier and roles. Both keys work until the old one expires: give the caller the new key in the meantime.',
    ),
    h(
      'label',
      { class: 'field' },
      h('span', null, 'The old key keeps working'),
      h(
        'select',
        {
          value: overlap,
          onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => setOverlap(currentTarget.value),
        },
        OVERLAPS.map(([time, words]) => h('option', { key: time, value: time }, words)),
      ),
      store === 'configuration' &&
        h('small', { class: 'quiet' }, 'The time starts now: the patch contains the time of expiry.'),
    ),
    h(TextField, {
      label: 'The new key expires',
      value: expires,
      change: setExpires,
      hint: `90d, 12h or a date such as 2027-01-31. Empty: ${expiresAt === null ? 'never' : moment(expiresAt)}, like the old key.`,
    }),
  )

  function aboutOf(rotated: RotatedKey): string {
    const { old, store: kept } = rotated
    const end = overlap === '0s' ? 'The old key no longer works.' : `The old key expires ${moment(old.expiresAt)}.`
    return kept === 'configuration' ? 'Neither key has changed yet.' : saidOf(`It works at once. ${end}`, rotated).text
  }
}
