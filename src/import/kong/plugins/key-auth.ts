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
    if (name === undefined) return closed(use, 'None of its key names is a valid header name.')
    if (names.length > 1)
      tell('narrower', `Keys are accepted only in ${name}, not in ${names.filter((each) => each !== name).join(', ')}.`)
    if (flagOf(config['key_in_header']) === false) tell('different', `Keys are accepted in the header ${name}, too.`)
    if (flagOf(config['key_in_body']) === true) tell('narrower', 'Keys in bodies are not accepted.')
    if (flagOf(config['hide_credentials']) !== true)
      tell('different', 'API keys are never passed on to services. They get X-Consumer-Username.')
    if (textOf(config['realm']) !== undefined) tell('different', 'realm was left out: set realm of auth.')
    if (identities.apiKeys.length === 0)
      tell('different', 'The file has no keys, so all requests get 401: create keys with sallyport keys create.')
    identities.use('apiKeys')
    const options: Fields = {
      header: name,
      ...(flagOf(config['key_in_query']) !== false && { query: name }),
      keys: identities.apiKeys,
    }
    return withCaller(use, { 'api-key': options })
  },
}
