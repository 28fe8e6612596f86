import { z } from 'zod'
import { duration } from '../core/units.ts'
import { certificates } from '../tls/pem-schema.ts'
import { httpUrl } from './http-url.ts'

/** The options of an OpenID client, as members of a schema. */
export const providerShape = {
  issuer: httpUrl
    .describe('URL of the OpenID provider, below which its discovery document is found.')
    .meta({ examples: ['https://login.example.com'] }),
  clientId: z
    .string()
    .min(1)
    .describe('Client ID of the gateway at the provider.')
    .meta({ examples: ['sallyport'] }),
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .describe('Client secret of the gateway. Default none: a public client, protected by PKCE alone.')
    .meta({ examples: ['${OIDC_CLIENT_SECRET}'] }),
  userinfo: z
    .boolean()
    .default(false)
    .describe('Fetch further claims from the userinfo endpoint at each login. Default false.'),
  timeout: duration.prefault('5s').describe('Timeout of each request to the provider. Default 5s.'),
  ca: certificates
    .optional()
    .describe(
      'File with CA certificates, in PEM, to trust for the provider, instead of those of Node.js. ' +
        'Default those of Node.js.',
    )
    .meta({ examples: ['./tls/ca.pem'] }),
}

/** A list of scopes (RFC 6749 section 3.3) with openid among them. */
export const scopeList = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected a scope: printable ASCII without spaces, quotes and backslashes')
  .array()
  .refine((scopes) => scopes.includes('openid'), 'expected openid among the scopes')
