import { isToken, isWireField } from '../../../core/field.ts'
import type { Fields } from '../../../core/value.ts'
import { flagOf, textOf, textsOf } from '../../read.ts'
import { closed, type PluginTranslator } from '../plugin.ts'
import { withCaller } from './with-caller.ts'

/** key-auth: auth by api-key. */
export const keyAuth: PluginTranslator = {
  names: ['key-auth', 'key-auth-enc'],
  ignores: ['run_on_preflight'],
  translate(use) {
    const { config, tell, identities } = use
    const written = textsOf(config['key_names'])
    const names = written.length === 0 ? ['apikey'] : written
    const name = names.find((each) => isToken(each) && !isWireField(each))
    if (name === undefined) return closed(use, 'No header can have the name of the key.')
    if (names.length > 1)
      tell(
        'narrower',
        `Keys are looked for under ${name} alone, and not under ${names.filter((each) => each !== name).join(', ')}.`,
      )
    if (flagOf(config['key_in_header']) === false)
      tell('different', `Keys are taken from the header ${name} as well: a header goes before the query.`)
    if (flagOf(config['key_in_body']) === true) tell('narrower', 'Keys are not taken from bodies.')
    if (flagOf(config['hide_credentials']) !== true)
      tell('different', 'Services never get keys here: by X-Consumer-Username they know who calls.')
    if (textOf(config['realm']) !== undefined) tell('different', 'realm is left out: see realm of auth.')
    if (identities.apiKeys.length === 0)
      tell('different', 'The file has no keys, so nobody gets in: make some with sallyport keys create.')
    identities.use('apiKeys')
    const options: Fields = {
      header: name,
      ...(flagOf(config['key_in_query']) !== false && { query: name }),
      keys: identities.apiKeys,
    }
    return withCaller(use, { 'api-key': options })
  },
}
