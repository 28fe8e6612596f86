import { h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { KeyStore, MadeKey } from './answers.ts'
import { callApi } from '../../client.ts'
import { KeyDialog, TextField } from './key-dialog.ts'

/** The dialog that makes a key. */
export function CreateKey({
  store,
  close,
  again,
}: {
  store: KeyStore
  close: () => void
  again: () => void
}): ComponentChildren {
  const [id, setId] = useState('')
  const [owner, setOwner] = useState('')
  const [tier, setTier] = useState('')
  const [roles, setRoles] = useState('')
  const [expires, setExpires] = useState('')
  const make = async (): Promise<MadeKey> => {
    const given = Object.entries({ owner, tier, expires }).flatMap(([name, value]) =>
      value.trim() === '' ? [] : [[name, value.trim()] as const],
    )
    const json = {
      id: id.trim(),
      ...Object.fromEntries(given),
      roles: roles.split(',').flatMap((role) => (role.trim() === '' ? [] : [role.trim()])),
    }
    const made = await callApi<MadeKey>('/keys', { method: 'POST', json })
    again()
    return made
  }
  return h(
    KeyDialog<MadeKey>,
    {
      title: 'Create an API key',
      action: 'Create',
      ready: id.trim() !== '',
      make,
      aboutOf: ({ store: kept }) =>
        kept === 'redis' ? 'It works at once in all gateways on the same Redis.' : 'It does not work yet.',
      close,
    },
    h(
      'p',
      { class: 'quiet' },
      store === 'redis'
        ? 'Only its digest is stored in Redis; the key itself is not stored anywhere.'
        : 'Keys are stored in the configuration: you get the key and a patch for the file, which contains its digest.',
    ),
    h(TextField, {
      label: 'ID',
      value: id,
      change: setId,
      placeholder: 'partner',
      hint: 'Its name in limits, logs and metrics.',
    }),
    h(TextField, {
      label: 'Owner',
      value: owner,
      change: setOwner,
      hint: 'The consumer it identifies, sent as X-User-ID. Empty: the ID.',
    }),
    h(TextField, { label: 'Tier', value: tier, change: setTier, hint: 'Which limits apply. Empty: api_key.' }),
    h(TextField, { label: 'Roles', value: roles, change: setRoles, hint: 'Separated by commas.' }),
    h(TextField, {
      label: 'Expires',
      value: expires,
      change: setExpires,
      hint: '90d, 12h or a date such as 2027-01-31. Empty: never.',
    }),
  )
}
