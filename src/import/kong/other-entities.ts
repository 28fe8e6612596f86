import { textOf } from '../read.ts'
import type { Context } from './context.ts'
import { kinds } from './kinds.ts'

const consumers = 'Its plugin is not brought over, so nobody can show it.'

/** What becomes of kinds that are not brought over, and what to do in place of them. */
const advice: Readonly<Record<string, string>> = {
  certificates:
    'Write certificate and key into files, and name them in tls.certificates of a listener: see docs/tls.md.',
  snis: 'A listener chooses the certificate by the names that it is for.',
  ca_certificates:
    'Write it into a file, and name it in tls.ca of a service, or in tls.clientCertificates.ca of a listener.',
  key_sets: 'Keys of tokens are named in auth.methods.jwt.',
  keys: 'Keys of tokens are named in auth.methods.jwt.',
  partials: 'Options that several plugins share are written out at each of them.',
  filter_chains: 'Code of filters is not run: write a policy of your own, see docs/writing-policies.md.',
  keyauth_enc_credentials: 'Make a key with sallyport keys create.',
  hmacauth_credentials: consumers,
  oauth2_credentials: consumers,
  oauth2_tokens: consumers,
  mtls_auth_credentials: 'Write a rule for it in auth.methods.mtls.',
}

/** Says of every entity that nothing else speaks of what became of it. */
export function tellOfOthers({ entities }: Context): void {
  for (const { kind, fields, entry } of entities.all) {
    if (kind === 'vaults') {
      if (textOf(fields['name']) === 'env') entry.tell('exact', 'Its secrets are variables of the environment.')
      else
        entry.tell(
          'different',
          'Its secrets are variables of the environment, which something has to set: see docs/configuration.md.',
        )
      continue
    }
    const known = Object.hasOwn(advice, kind) ? advice[kind] : undefined
    if (known !== undefined) entry.tell('left out', known)
    else if (!Object.hasOwn(kinds, kind))
      entry.tell('left out', `Nobody here knows ${kind}: they belong to a plugin of its own.`)
  }
}
