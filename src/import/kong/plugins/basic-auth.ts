import { flagOf } from '../../read.ts'
import { closed, type PluginTranslator } from '../plugin.ts'
import { withCaller } from './with-caller.ts'

/** basic-auth: auth by basic. */
export const basicAuth: PluginTranslator = {
  names: ['basic-auth'],
  translate(use) {
    const { config, tell, identities } = use
    if (identities.users.length === 0)
      return closed(use, 'The file has no passwords that can be brought over: add users to auth.methods.basic.')
    if (flagOf(config['hide_credentials']) !== true)
      tell('different', 'Services never get passwords here: by X-Consumer-Username they know who calls.')
    identities.use('users')
    return withCaller(use, { basic: { users: identities.users } })
  },
}
