import { flagOf, textsOf } from '../../read.ts'
import { closed, type PluginTranslator } from '../plugin.ts'

/** acl: auth.require. */
export const acl: PluginTranslator = {
  names: ['acl'],
  translate(use) {
    const { config, tell, identities } = use
    const allowed = [...textsOf(config['allow']), ...textsOf(config['whitelist'])].filter((group) => group !== '')
    const denied = [...textsOf(config['deny']), ...textsOf(config['blacklist'])]
    if (denied.length > 0 && allowed.length === 0)
      return closed(
        use,
        `Groups that are refused (${denied.join(', ')}) are not there: name those that are let in, in auth.require.roles.`,
      )
    if (allowed.length === 0) return closed(use, 'It lets no group in.')
    if (identities.tokens.length > 0)
      tell(
        'different',
        'Who comes with a token has the roles that the token says (claims.roles), and not the groups of the consumer.',
      )
    return {
      policies: {
        auth: { require: { roles: allowed } },
        ...(flagOf(config['hide_groups_header']) !== true && {
          'request-headers': { set: { 'X-Consumer-Groups': '{consumer.roles}' } },
        }),
      },
    }
  },
}
