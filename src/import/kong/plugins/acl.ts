import type { Fields } from '../../../core/value.ts'
import { flagOf, textsOf } from '../../read.ts'
import { closed, type Fragment, type PluginTranslator } from '../plugin.ts'

/** acl: auth.require. */
export const acl: PluginTranslator = {
  names: ['acl'],
  translate(use) {
    const { config, tell, identities } = use
    const allowed = [...textsOf(config['allow']), ...textsOf(config['whitelist'])].filter((group) => group !== '')
    const denied = [...textsOf(config['deny']), ...textsOf(config['blacklist'])]
    // A token's groups are not those of its consumer.
    const canDeny = allowed.length === 0 && denied.length > 0 && identities.tokens.length === 0
    if (canDeny && denied.every((group) => /^[\w.@ -]{1,100}$/.test(group)))
      return withGroups(config, { allow: denied.map((group) => `!(${JSON.stringify(group)} in consumer.roles)`) })
    if (denied.length > 0 && allowed.length === 0)
      return closed(
        use,
        `Denied groups (${denied.join(', ')}) are not supported with tokens: list the allowed ones in auth.require.roles.`,
      )
    if (allowed.length === 0) return closed(use, 'It allows no group.')
    if (identities.tokens.length > 0)
      tell('different', 'With a token, roles come from the token (claims.roles), not from the groups of the consumer.')
    return withGroups(config, { roles: allowed })
  },
}

/** The requirements on the caller; services receive the groups. */
function withGroups(config: Fields, require: Fields): Fragment {
  return {
    policies: {
      auth: { require },
      ...(flagOf(config['hide_groups_header']) !== true && {
        'request-headers': { set: { 'X-Consumer-Groups': '{consumer.roles}' } },
      }),
    },
  }
}
