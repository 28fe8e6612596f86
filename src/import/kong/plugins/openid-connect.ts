import type { Fields } from '../../../core/value.ts'
import { textOf, textsOf } from '../../read.ts'
import { hasVariable } from '../../variables.ts'
import { closed, type PluginTranslator, type PluginUse } from '../plugin.ts'
import { withCaller } from './with-caller.ts'

const DISCOVERY = /\/\.well-known\/openid-configuration\/?$/
/** Further requirements that these plugins support, each in its own format. */
const OTHER_REQUIREMENTS = ['groups_required', 'client_roles', 'roles', 'consumer_claim']

/** openid-connect and its substitutes: jwt for bearer tokens, and oidc for browser logins. */
export const openidConnect: PluginTranslator = {
  names: ['openid-connect', 'oidc', 'kong-oidc', 'jwt-keycloak'],
  ignores: 'all',
  translate(use) {
    const { config, tell } = use
    const issuers = issuersOf(use)
    const [issuer] = issuers
    if (issuer === undefined) return closed(use, 'It has no usable issuer: see jwt in docs/authentication.md.')
    const roles = [...textsOf(config['roles_required']), ...textsOf(config['realm_roles'])]
    if (OTHER_REQUIREMENTS.some((name) => textsOf(config[name]).length > 0) || roles.some((role) => /\s/.test(role)))
      return closed(
        use,
        'Its requirements on roles, groups or consumers cannot be imported: write them as auth.require.',
      )
    const scopes = scopesOf(use)
    const audience = [...textsOf(config['audience_required']), ...textsOf(config['audience'])]
    if (audience.length === 0) tell('narrower', 'Tokens with an aud claim are refused until audience of jwt lists it.')
    const claims = rolesClaimOf(use, roles)
    const shared: Fields = { ...(audience.length > 0 && { audience }), ...(claims !== null && { claims }) }
    const jwt =
      issuers.length === 1 ? { issuer, ...shared } : { issuers: issuers.map((each) => ({ issuer: each })), ...shared }
    const login = loginOf(use, issuer, claims)
    tell(
      'different',
      login === null
        ? 'Only bearer tokens of the issuer are accepted: for other ways see docs/authentication.md.'
        : LOGIN,
    )
    const { policies, isOptional = false } = withCaller(use, { jwt, ...(login !== null && { oidc: login }) })
    const require = { ...(roles.length > 0 && { roles }), ...(scopes.length > 0 && { scopes }) }
    return {
      isOptional,
      policies: { ...policies, auth: { ...policies?.['auth'], ...(Object.keys(require).length > 0 && { require }) } },
    }
  },
}

const LOGIN =
  'Bearer tokens of the issuer are accepted, and browsers log in. Register /auth/callback as a redirect URI at the provider: see oidc in docs/authentication.md.'

function issuersOf({ config }: PluginUse): string[] {
  const written = [...textsOf(config['issuer']), ...textsOf(config['discovery']), ...textsOf(config['allowed_iss'])]
  const issuers = written.map((text) => text.replace(DISCOVERY, '').replace(/(?<=.)\/$/, ''))
  return [...new Set(issuers.filter((text) => hasVariable(text) || /^https?:\/\/[^\s@]+$/.test(text)))]
}

/** Kong requires one of several texts, but here all are required. */
function scopesOf({ name, config, tell }: PluginUse): string[] {
  const written = [...textsOf(config['scopes_required']), ...(name === 'jwt-keycloak' ? textsOf(config['scope']) : [])]
  if (written.length > 1) tell('narrower', 'All of its scopes are required together.')
  return [...new Set(written.flatMap((text) => text.split(/\s+/)))].filter(
    (scope) => scope !== '' && scope !== 'openid',
  )
}

/** The claim that contains roles, if it is not the default one. */
function rolesClaimOf({ config }: PluginUse, roles: readonly string[]): Fields | null {
  if (roles.length === 0) return null
  const written = textsOf(config['roles_claim'])
  if (textsOf(config['realm_roles']).length > 0) return { roles: ['realm_access', 'roles'] }
  return written.length === 0 ? null : { roles: written }
}

/** Browser login, if it is enabled. */
function loginOf({ name, config, secret }: PluginUse, issuer: string, claims: Fields | null): Fields | null {
  const [clientId] = textsOf(config['client_id'])
  const methods = textsOf(config['auth_methods'])
  const isWanted =
    name === 'openid-connect'
      ? methods.length === 0 || methods.includes('authorization_code')
      : name !== 'jwt-keycloak' && textOf(config['bearer_only']) !== 'yes'
  if (!isWanted || clientId === undefined || clientId === '') return null
  const [clientSecret] = textsOf(config['client_secret'])
  return {
    issuer,
    clientId,
    ...(clientSecret !== undefined && {
      clientSecret: hasVariable(clientSecret)
        ? clientSecret
        : secret('OIDC_CLIENT_SECRET', `the client secret of ${clientId}`),
    }),
    secret: secret('SESSION_SECRET', 'a secret for sessions, from openssl rand -base64 32'),
    ...(claims !== null && { claims }),
  }
}
