import { isToken, isWireField } from '../../../core/field.ts'
import type { Fields } from '../../../core/value.ts'
import { flagOf, numberOf, textOf, textsOf } from '../../read.ts'
import type { TokenIssuer } from '../identities.ts'
import { closed, type PluginTranslator } from '../plugin.ts'
import { withCaller } from './with-caller.ts'

/** jwt: auth by jwt. */
export const jwt: PluginTranslator = {
  names: ['jwt'],
  ignores: ['run_on_preflight'],
  translate(use) {
    const { config, tell, identities } = use
    const { tokens } = identities
    if (tokens.length === 0)
      return closed(use, 'The file has no JWT credentials that can be imported: configure auth.methods.jwt.')
    if (!textsOf(config['claims_to_verify']).includes('exp'))
      tell(
        'narrower',
        'Tokens must have exp, and are refused once they have expired. Kong checks exp only if claims_to_verify says so.',
      )
    tell('narrower', 'Tokens with an aud claim are refused unless audience of jwt lists it.')
    if (flagOf(config['secret_is_base64']) === true)
      tell('different', 'Secrets are not base64-decoded: set the variables to the decoded text.')
    if ((numberOf(config['maximum_expiration']) ?? 0) > 0)
      tell('different', 'maximum_expiration was left out: the lifetime of tokens is not limited.')
    if (textOf(config['realm']) !== undefined) tell('different', 'realm was left out: set realm of auth.')
    identities.use('tokens')
    const claim = textsOf(config['key_claim_name'])[0] ?? 'iss'
    const keys = claim === 'iss' ? byIssuer(tokens) : together(tokens)
    if (claim !== 'iss')
      tell(
        'different',
        `A token is accepted with any of the keys, not only the one that its ${claim} names, and ${claim} must be a claim.`,
      )
    if (tokens.some(({ key, consumer }) => key !== consumer))
      tell('different', `X-Consumer-Username is the ${claim} of the token, not the name of the consumer.`)
    const options: Fields = { ...keys, claims: { id: claim }, ...placesOf(use) }
    return withCaller(use, { jwt: options })
  },
}

/** The key is selected by the token's issuer claim. */
function byIssuer(tokens: readonly TokenIssuer[]): Fields {
  const issuers = tokens.map((token) => ({ issuer: token.key, ...keyOf(token), algorithms: [token.algorithm] }))
  const [only] = issuers
  return issuers.length === 1 ? { ...only } : { issuers }
}

function together(tokens: readonly TokenIssuer[]): Fields {
  const secrets = tokens.flatMap(({ secret }) => secret ?? [])
  const publicKeys = tokens.flatMap(({ publicKey }) => publicKey ?? [])
  return {
    ...(secrets.length > 0 && { secret: secrets }),
    ...(publicKeys.length > 0 && { publicKeys }),
    algorithms: [...new Set(tokens.map(({ algorithm }) => algorithm))],
  }
}

function keyOf({ secret, publicKey }: TokenIssuer): Fields {
  return secret === null ? { publicKeys: publicKey } : { secret }
}

/** Where tokens are read from in addition to Authorization. */
function placesOf({ config, tell }: Parameters<PluginTranslator['translate']>[0]): Fields {
  const headers = textsOf(config['header_names'])
  const header = headers.find((name) => isToken(name) && (!isWireField(name) || /^authorization$/i.test(name)))
  const queries = config['uri_param_names'] === undefined ? ['jwt'] : textsOf(config['uri_param_names'])
  const cookies = textsOf(config['cookie_names']).filter((name) => isToken(name))
  for (const [what, names] of [
    ['headers', headers],
    ['parameters', queries],
    ['cookies', cookies],
  ] as const)
    if (names.length > 1)
      tell('narrower', `Of the ${what} that may hold the token, only the first is used: ${names[0]}.`)
  return {
    ...(header !== undefined && !/^authorization$/i.test(header) && { header }),
    ...(queries[0] !== undefined && queries[0] !== '' && { query: queries[0] }),
    ...(cookies[0] !== undefined && { cookie: cookies[0] }),
  }
}
