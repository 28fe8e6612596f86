import type { Fields } from '../../../core/value.ts'
import { textsOf } from '../../read.ts'
import { hasVariable } from '../../variables.ts'
import { closed, type PluginTranslator, type PluginUse } from '../plugin.ts'
import { withCaller } from './with-caller.ts'

const DISCOVERY = /\/\.well-known\/openid-configuration\/?$/

/** openid-connect and what stands in for it: auth by jwt, for bearer tokens. */
export const openidConnect: PluginTranslator = {
  names: ['openid-connect', 'oidc', 'kong-oidc', 'jwt-keycloak'],
  ignores: 'all',
  translate(use) {
    const { config, tell } = use
    const issuers = issuersOf(use)
    if (issuers.length === 0)
      return closed(use, 'It names no issuer whose keys could be found: see jwt in docs/authentication.md.')
    const audience = [...textsOf(config['audience_required']), ...textsOf(config['audience'])]
    const scopes = [...textsOf(config['scopes_required']), ...textsOf(config['scope'])]
      .flatMap((text) => text.split(/\s+/))
      .filter((scope) => scope !== 'openid' && scope !== '')
    const required = use.name === 'openid-connect' ? scopes : textsOf(config['scope_required'])
    tell(
      'different',
      'Bearer tokens of the issuer are taken; a login of browsers, sessions and introspection are left out: see docs/authentication.md.',
    )
    if (audience.length === 0)
      tell(
        'narrower',
        'Tokens that name an audience (aud) are refused, until audience of jwt names it, as the name of this API.',
      )
    const shared: Fields = audience.length > 0 ? { audience } : {}
    const [issuer] = issuers
    const options =
      issuers.length === 1 ? { issuer, ...shared } : { issuers: issuers.map((each) => ({ issuer: each })), ...shared }
    const { policies, isOptional = false } = withCaller(use, { jwt: options })
    return {
      isOptional,
      policies: {
        ...policies,
        auth: { ...policies?.['auth'], ...(required.length > 0 && { require: { scopes: required } }) },
      },
    }
  },
}

function issuersOf({ config }: PluginUse): string[] {
  const written = [...textsOf(config['issuer']), ...textsOf(config['discovery']), ...textsOf(config['allowed_iss'])]
  const issuers = written.map((text) => text.replace(DISCOVERY, '').replace(/(?<=.)\/$/, ''))
  return [...new Set(issuers.filter((text) => hasVariable(text) || /^https?:\/\/[^\s@]+$/.test(text)))]
}
