import { textOf } from '../read.ts'
import type { Context } from './context.ts'
import { kinds } from './kinds.ts'

const consumers = 'Its plugin is not supported.'

/** Advice for kinds of entities that are not imported. */
const advice: Readonly<Record<string, string>> = {
  certificates:
    'Save the certificate and key to files, and name them in tls.certificates of a listener: see docs/tls.md.',
  snis: 'Listeners choose certificates by the names in them.',
  ca_certificates:
    'Save it to a file, and name it in tls.ca of a service, or in tls.clientCertificates.ca of a listener.',
  key_sets: 'Name the keys in auth.methods.jwt.',
  keys: 'Name the keys in auth.methods.jwt.',
  partials: 'Shared plugin configuration is not supported: write the options out in each plugin.',
  filter_chains: 'Filters are not run: write a custom policy, see docs/writing-policies.md.',
  keyauth_enc_credentials: 'Create a key with sallyport keys create.',
  hmacauth_credentials: consumers,
  oauth2_credentials: consumers,
  oauth2_tokens: consumers,
  mtls_auth_credentials: 'Add a rule to auth.methods.mtls.',
}

/** Reports on every entity that nothing else has reported on. */
export function tellOfOthers({ entities }: Context): void {
  for (const { kind, fields, entry } of entities.all) {
    if (kind === 'vaults') {
      if (textOf(fields['name']) === 'env') entry.tell('exact', 'Its secrets are environment variables.')
      else
        entry.tell(
          'different',
          'Its secrets became environment variables, which you have to set: see docs/configuration.md.',
        )
      continue
    }
    const known = Object.hasOwn(advice, kind) ? advice[kind] : undefined
    if (known !== undefined) entry.tell('left out', known)
    else if (!Object.hasOwn(kinds, kind))
      entry.tell('left out', `${kind} are not supported: they belong to a custom plugin.`)
  }
}
