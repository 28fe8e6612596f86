import { z } from 'zod'
import { duration } from '../core/units.ts'
import { certificates } from '../tls/pem-schema.ts'
import { httpUrl } from './http-url.ts'

/** What a client of an OpenID provider is configured with, as the members of a schema. */
export const providerShape = {
  issuer: httpUrl
    .describe('The OpenID provider: its discovery document is below it.')
    .meta({ examples: ['https://login.example.com'] }),
  clientId: z
    .string()
    .min(1)
    .describe('Name of the gateway at the provider.')
    .meta({ examples: ['sallyport'] }),
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .describe('Its secret there. Default none: a public client, protected by PKCE alone.')
    .meta({ examples: ['${OIDC_CLIENT_SECRET}'] }),
  userinfo: z
    .boolean()
    .default(false)
    .describe('Whether the userinfo endpoint is asked for further claims when somebody logs in. Default false.'),
  timeout: duration.prefault('5s').describe('For each answer of the provider. Default 5s.'),
  ca: certificates
    .optional()
    .describe(
      'File with the certificates, in PEM, of the authorities that are believed for the provider, in place of those that ' +
        'Node.js comes with. Default those.',
    )
    .meta({ examples: ['./tls/ca.pem'] }),
}

/** A list of scopes (RFC 6749 section 3.3) with openid among them. */
export const scopeList = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected a scope: printable ASCII without spaces, quotes and backslashes')
  .array()
  .refine((scopes) => scopes.includes('openid'), 'expected openid among the scopes')
