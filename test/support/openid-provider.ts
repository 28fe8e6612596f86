import { generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/core/clock.ts'
import { startService } from './service.ts'
import { jwkOf, tokenOf } from './tokens.ts'

/** The gateway's registration at the provider. */
export const CLIENT = { clientId: 'shop', clientSecret: 'the secret of the shop' }

/** Ways in which the provider misbehaves. */
export interface Mischief {
  /** Changes the claims of ID tokens. */
  readonly claims?: (claims: object) => object
  /** Signs ID tokens with a key that is not published, under the id of the published one. */
  readonly signsWithAnother?: boolean
  /** An error instead of a code. */
  readonly refusal?: string
  /** An error of the token endpoint. */
  readonly tokenError?: string
  /** The token endpoint does not answer. */
  readonly isSilent?: boolean
}

/** A strict OpenID provider: every visitor is logged in as `user`. */
export interface OpenIdProvider {
  readonly url: string
  /** Claims of the user who logs in. */
  user: { readonly sub: string } & Record<string, unknown>
  /** Further claims of the userinfo endpoint. */
  userinfo: object
  mischief: Mischief
  /** The validity of access tokens in seconds. */
  lifetime: number
  /** Whether it answers everything with 500. */
  isBroken: boolean
  /** Replaces the keys, under another id. */
  rotate(): void
  /** Valid refresh tokens. */
  readonly refreshTokens: ReadonlySet<string>
  /** Number of requests to that path so far. */
  count(path: string): number
}

interface Code {
  readonly query: URLSearchParams
  isUsed: boolean
}

/** Runs a provider until the end of the test. Its tokens use the time of that clock. */
export async function startOpenIdProvider(t: TestContext, clock: Clock): Promise<OpenIdProvider> {
  const codes = new Map<string, Code>()
  const refreshTokens = new Set<string>()
  let serial = 0
  let keys = makeKeys(0)
  const text = (what: string): string => `${what}-${++serial}`

  function idToken(nonce: string | null): string {
    const now = Math.floor(clock.wall() / 1000)
    const all = {
      iss: server.url,
      aud: CLIENT.clientId,
      iat: now,
      exp: now + 300,
      ...(nonce !== null && { nonce }),
      ...provider.user,
    }
    const claims = provider.mischief.claims?.(all) ?? all
    // Only these claims, without those that tokens of other tests have.
    return tokenOf({
      header: { kid: keys.id },
      claims: { roles: undefined, ...claims },
      key: (provider.mischief.signsWithAnother === true ? makeKeys(0) : keys).pair.privateKey,
      algorithm: 'ES256',
    })
  }

  function tokens(nonce: string | null, scope: string): object {
    const refresh = scope.split(' ').includes('offline_access') ? { refresh_token: text('refresh') } : {}
    if (refresh.refresh_token !== undefined) refreshTokens.add(refresh.refresh_token)
    return {
      access_token: text('access'),
      token_type: 'Bearer',
      expires_in: provider.lifetime,
      id_token: idToken(nonce),
      ...refresh,
    }
  }

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const problem = problemOf(query)
    if (problem !== null) return void response.writeHead(400).end(problem)
    const back = new URL(query.get('redirect_uri') ?? '')
    back.searchParams.set('state', query.get('state') ?? '')
    back.searchParams.set('iss', server.url)
    const { refusal } = provider.mischief
    if (refusal === undefined) {
      const code = text('code')
      codes.set(code, { query, isUsed: false })
      back.searchParams.set('code', code)
    } else back.searchParams.set('error', refusal)
    response.writeHead(302, { Location: back.href }).end()
  }

  /** The error of a token request, or the reply. */
  function grant(form: URLSearchParams): string | object {
    if (provider.mischief.tokenError !== undefined) return provider.mischief.tokenError
    if (form.get('grant_type') === 'refresh_token')
      return refreshTokens.delete(form.get('refresh_token') ?? '') ? tokens(null, 'offline_access') : 'invalid_grant'
    if (form.get('grant_type') !== 'authorization_code') return 'unsupported_grant_type'
    const code = codes.get(form.get('code') ?? '')
    if (code === undefined || code.isUsed) return 'invalid_grant'
    code.isUsed = true
    const { query } = code
    if (query.get('redirect_uri') !== form.get('redirect_uri')) return 'invalid_grant'
    if (hash('sha256', form.get('code_verifier') ?? '', 'base64url') !== query.get('code_challenge'))
      return 'invalid_grant'
    return tokens(query.get('nonce'), query.get('scope') ?? '')
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (provider.isBroken) return void response.writeHead(500).end()
    const { pathname, searchParams } = new URL(request.url ?? '', server.url)
    const answer = (status: number, value: object): void =>
      void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
    if (pathname === '/.well-known/openid-configuration') return answer(200, metadataOf(server.url))
    if (pathname === '/keys') return answer(200, { keys: [jwkOf(keys.pair.publicKey, { kid: keys.id })] })
    if (pathname === '/authorize') return authorize(searchParams, response)
    if (pathname === '/logout')
      return void response.writeHead(302, { Location: searchParams.get('post_logout_redirect_uri') ?? '' }).end()
    if (pathname === '/userinfo') return answer(200, { sub: provider.user.sub, ...provider.userinfo })
    const form = new URLSearchParams(await bodyOf(request))
    if (!isClient(request)) return answer(401, { error: 'invalid_client' })
    if (pathname === '/revoke') {
      refreshTokens.delete(form.get('token') ?? '')
      return void response.writeHead(200).end()
    }
    if (provider.mischief.isSilent === true) return
    const granted = grant(form)
    if (typeof granted === 'string') answer(400, { error: granted })
    else answer(200, granted)
  }

  const server = await startService(t, (request, response) => void handle(request, response))
  const provider: OpenIdProvider = {
    url: server.url,
    user: { sub: 'alice' },
    userinfo: {},
    mischief: {},
    lifetime: 300,
    isBroken: false,
    rotate: () => void (keys = makeKeys(++serial)),
    refreshTokens,
    count: (path) => server.received.filter(({ url }) => url.split('?', 1)[0] === path).length,
  }
  return provider
}

interface Keys {
  readonly id: string
  readonly pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
}

function makeKeys(serial: number): Keys {
  return { id: `key-${serial}`, pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}

function metadataOf(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    userinfo_endpoint: `${issuer}/userinfo`,
    revocation_endpoint: `${issuer}/revoke`,
    end_session_endpoint: `${issuer}/logout`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
  }
}

/** What is wrong with an authorization request, or null. */
function problemOf(query: URLSearchParams): string | null {
  const expected = { client_id: CLIENT.clientId, response_type: 'code', code_challenge_method: 'S256' }
  for (const [name, value] of Object.entries(expected)) if (query.get(name) !== value) return name
  const scopes = (query.get('scope') ?? '').split(' ')
  if (!scopes.includes('openid')) return 'scope'
  for (const name of ['state', 'nonce', 'code_challenge'])
    if ((query.get(name) ?? '').length < 20 || query.getAll(name).length > 1) return name
  return URL.canParse(query.get('redirect_uri') ?? '') ? null : 'redirect_uri'
}

function isClient({ headers }: IncomingMessage): boolean {
  const expected = `${CLIENT.clientId}:${encodeURIComponent(CLIENT.clientSecret).replaceAll('%20', '+')}`
  return headers.authorization === `Basic ${Buffer.from(expected).toString('base64')}`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
