import { flagOf, textOf } from '../../read.ts'
import { closed, type PluginTranslator } from '../plugin.ts'
import { withCaller } from './with-caller.ts'

/** basic-auth: auth by basic. */
export const basicAuth: PluginTranslator = {
  names: ['basic-auth'],
  ignores: ['run_on_preflight'],
  translate(use) {
    const { config, tell, identities } = use
    if (identities.users.length === 0)
      return closed(use, 'The file has no passwords that can be imported: configure auth.methods.basic.')
    if (flagOf(config['hide_credentials']) !== true)
      tell('different', 'Passwords are never passed on to services. They get X-Consumer-Username.')
    const realm = textOf(config['realm']) ?? 'service'
    if (realm !== 'service') tell('different', 'realm was left out: set realm of auth.')
    identities.use('users')
    return withCaller(use, { basic: { users: identities.users } })
  },
}
