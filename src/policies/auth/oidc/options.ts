import { z } from 'zod'
import { isToken } from '../../../core/field.ts'
import { oneOrMore } from '../../../core/one-or-more.ts'
import { secretText } from '../../../core/secret-text.ts'
import { duration } from '../../../core/units.ts'
import { originPattern } from '../../origins.ts'
import { claimNames } from '../claims.ts'
import { originUrl } from '../../../openid/http-url.ts'
import { providerShape, scopeList } from '../../../openid/provider-options.ts'
import { isOwnTarget } from './targets.ts'

const expected = 'expected a path of the gateway such as "/auth/callback"'
const ownPath = z.string().refine((path) => isOwnTarget(path) && !/[?#]/.test(path), expected)

/** Parameters of the authorization request that the gateway sets itself. */
const OWN_PARAMETERS = new Set([
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
])

const parameterName = z
  .string()
  .refine((name) => !OWN_PARAMETERS.has(name), 'expected another parameter: the gateway sets this one itself')

/** Schema of the options of the oidc method. */
export const oidcOptions = z.strictObject({
  issuer: providerShape.issuer,
  clientId: providerShape.clientId,
  clientSecret: providerShape.clientSecret,
  secret: oneOrMore(secretText)
    .describe(
      'Secret that encrypts cookies, at least 32 bytes. Several during a rotation: the first one encrypts, all of them decrypt.',
    )
    .meta({ examples: ['${OIDC_COOKIE_SECRET}'] }),
  scopes: scopeList
    .default(['openid'])
    .describe('Scopes to request from the provider; offline_access for sessions that are refreshed. Default openid.'),
  paths: z
    .strictObject({
      login: ownPath.default('/auth/login').describe('Path at which a login begins. Default /auth/login.'),
      callback: ownPath
        .default('/auth/callback')
        .describe('Path to which the provider sends browsers back: the redirect URI. Default /auth/callback.'),
      logout: ownPath.default('/auth/logout').describe('Path to log out, with POST. Default /auth/logout.'),
    })
    .refine(
      ({ login, callback, logout }) => new Set([login, callback, logout]).size === 3,
      'expected three different paths',
    )
    .prefault({})
    .describe('Paths that the gateway answers itself.'),
  publicUrl: originUrl
    .optional()
    .describe('URL of the gateway as browsers see it. Default the scheme and host of each request.')
    .meta({ examples: ['https://app.example.com'] }),
  afterLogout: ownPath.default('/').describe('Where browsers go after a logout. Default /.'),
  claims: claimNames.prefault({}).describe('Claims that describe the consumer.'),
  keepClaims: z
    .string()
    .min(1)
    .array()
    .optional()
    .describe(
      'Claims to keep in the session, in addition to those that describe the consumer. Default all that describe the user.',
    )
    .meta({ examples: [['email', 'name']] }),
  userinfo: providerShape.userinfo,
  lifetime: duration.prefault('8h').describe('How long a session lasts at most. Default 8h.'),
  cookie: z
    .string()
    .refine((name) => isToken(name) && !name.startsWith('__'), 'expected the name of a cookie, without a prefix')
    .default('sallyport')
    .describe('Name of the session cookie; over https it is prefixed with "__Host-". Default sallyport.'),
  parameters: z
    .record(parameterName, z.string())
    .default({})
    .describe('Further parameters of the authorization request, such as prompt. Default none.')
    .meta({ examples: [{ prompt: 'login' }] }),
  trustedOrigins: originPattern
    .refine((origin) => origin !== '*', '"*" would let every site act for its visitors; expected a list of origins')
    .array()
    .default([])
    .describe("Origins other than the gateway's own whose pages may use the session for unsafe methods. Default none.")
    .meta({ examples: [['https://app.example.com']] }),
  timeout: providerShape.timeout,
  ca: providerShape.ca,
})

/** The options of the oidc method after parsing. */
export type OidcOptions = z.output<typeof oidcOptions>
