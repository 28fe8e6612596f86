import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { formatAddress } from '../core/address.ts'
import { operatorRoles } from '../core/operator-role.ts'
import { passwordText, passwordUserName, refuseRepeatedUsers } from '../core/password-users.ts'
import { duration } from '../core/units.ts'
import { originUrl } from '../openid/http-url.ts'
import { address } from './addresses.ts'
import { adminOidc } from './admin-oidc-schema.ts'
import type { Environment } from './substitute.ts'
import { fieldOf, isFields } from '../core/value.ts'

/** Minimum length of a token in characters: anyone who can reach the address can try to guess it. */
const MIN_TOKEN_LENGTH = 16
/** Maximum length of a token in characters. */
export const MAX_TOKEN_LENGTH = 4096

const tokenSchema = z.string().superRefine((text, context) => {
  // The text is not quoted because it is a secret.
  const isRightLength = text.length >= MIN_TOKEN_LENGTH && text.length <= MAX_TOKEN_LENGTH
  if (text !== '' && (!isRightLength || !/^[!-~]+$/.test(text)))
    context.addIssue({
      code: 'custom',
      message: `expected ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} visible ASCII characters in ADMIN_TOKEN or here`,
      input: '[redacted]',
    })
})

/** The largest number of users. */
const MAX_USERS = 1000

const userSchema = z.strictObject({
  name: passwordUserName
    .describe('Name with which the user logs in; the log shows it with each change.')
    .meta({ examples: ['ada'] }),
  password: passwordText
    .describe('Digest of the password, from `sallyport password`: argon2id or scrypt in PHC format.')
    .meta({ examples: ['${ADA_PASSWORD_DIGEST}'] }),
  role: z
    .enum(operatorRoles)
    .default('viewer')
    .describe(
      'What the user may do: viewer can see everything except secrets, operator also drains, resets limits, purges and sets the log level, admin also changes the configuration. Default viewer.',
    ),
})

/** Placeholder for the machine's host name, so that all gateways can share one configuration. */
const HOST = '{host}'

const publicUrl = z.string().superRefine((text, context) => {
  const [issue] = originUrl.safeParse(text.replace(HOST, 'host')).error?.issues ?? []
  if (issue !== undefined) context.addIssue({ code: 'custom', message: issue.message, input: text })
})

const adminOptions = z
  .strictObject({
    address: address.prefault('127.0.0.1:9000').describe('Address and port of the admin API. Default 127.0.0.1:9000.'),
    token: tokenSchema
      .optional()
      .transform((text) => text || null)
      .describe(
        'Token that callers must send as "Authorization: Bearer …", 16 to 4096 characters. Required, or users, or oidc, unless the address is a loopback address. Default the environment variable ADMIN_TOKEN, if set.',
      )
      .meta({ examples: ['${ADMIN_TOKEN}'] }),
    users: userSchema
      .array()
      .max(MAX_USERS)
      .superRefine(refuseRepeatedUsers)
      .default([])
      .describe(
        'Users who log in to the console with a name and a password. The token still works for programs. Default none.',
      )
      .meta({ examples: [[{ name: 'ada', password: '${ADA_PASSWORD_DIGEST}', role: 'operator' }]] }),
    oidc: adminOidc
      .optional()
      .describe(
        'OpenID provider where operators log in to the console. Its redirect URI is /login/oidc/callback on the console. Default none.',
      ),
    publicUrl: publicUrl
      .optional()
      .describe(
        'URL of the console in browsers, such as "https://console.example.com". Logins at the provider return to it, and other gateways on the same Redis link to it. {host} stands for the name of the machine. Default the scheme and host of each request, and no links.',
      )
      .meta({ examples: ['https://console.example.com'] }),
    loginLifetime: duration
      .prefault('12h')
      .describe('How long a login lasts at most; it also ends after 2 hours without a request. Default 12h.'),
    requests: z
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .describe('Recent requests that each worker remembers for GET /requests; 0 for none. Default 200.'),
    writable: z
      .boolean()
      .default(false)
      .describe(
        'Allow operators to send configurations. A configuration can name code and files on this machine, so this requires a token, users, or oidc. Default false.',
      ),
  })
  .superRefine((admin, context) => {
    const isSecured = admin.token !== null || admin.users.length > 0 || admin.oidc !== undefined
    if (admin.writable && !isSecured)
      context.addIssue({
        code: 'custom',
        path: ['writable'],
        message:
          'needs a token (ADMIN_TOKEN), users or oidc, because a configuration can name code and files of this machine',
        input: true,
      })
    if (isLoopback(admin.address.host) || isSecured) return
    const message =
      'expected a loopback address such as "127.0.0.1:9000" where there is no token (ADMIN_TOKEN), and neither users nor oidc'
    context.addIssue({ code: 'custom', path: ['address'], message, input: formatAddress(admin.address) })
  })

/** Schema of the admin listener. */
export const adminSchema = z.union([z.literal(false), adminOptions])

/** What a program needs to call it, whatever else is wrong with its settings or missing in the program's environment. */
export const adminPlaceSchema = z.union([
  z.literal(false),
  z.object({ address: adminOptions.shape.address, token: z.string().default('') }),
])

/** Whether the host can be reached from this machine only (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3, RFC 6761 section 6.3). */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** The public URL of the console on a machine with that name; null if the configuration does not set one. */
export function publicUrlOf({ publicUrl: url }: z.output<typeof adminOptions>, machine: string): string | null {
  return url?.replace(HOST, machine) ?? null
}

/** The configuration with ADMIN_TOKEN from the environment as `admin.token`, unless the configuration sets a token itself. */
export function withAdminToken(config: unknown, { ADMIN_TOKEN: token }: Environment): unknown {
  const admin = fieldOf(config, 'admin') ?? {}
  if (!isFields(config) || !isFields(admin) || !token || (fieldOf(admin, 'token') ?? '') !== '') return config
  return { ...config, admin: { ...admin, token } }
}
