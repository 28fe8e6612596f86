import { createHmac, hash, type KeyObject, sign } from 'node:crypto'

/** What to sign, and how. */
export interface ToSign {
  readonly method?: string
  readonly path?: string
  readonly authority: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Components, as written. */
  readonly components?: readonly string[]
  /** Parameters after the components, in order. */
  readonly parameters: Readonly<Record<string, string | number>>
  /** An Ed25519 private key, or a shared secret. */
  readonly key: KeyObject | string
}

/** Headers of a signed request (RFC 9421), made without the code that verifies it. */
export function signedFields(what: ToSign): Record<string, string> {
  const { method = 'GET', path = '/', authority, body, parameters, key } = what
  const digest = body === undefined ? {} : { 'content-digest': `sha-256=:${hash('sha256', body, 'base64')}:` }
  const fields: Readonly<Record<string, string>> = { ...digest, ...what.headers }
  const [target = '', query = ''] = path.split('?')
  const parts: Readonly<Record<string, string>> = {
    '@method': method,
    '@authority': authority,
    '@path': target,
    '@query': `?${query}`,
    '@target-uri': `http://${authority}${path}`,
    ...fields,
  }
  const components = what.components ?? ['@method', '@authority', '@path', '@query', ...Object.keys(digest)]
  const output = Object.entries(parameters).map(([name, value]) => `;${name}=${JSON.stringify(value)}`)
  const input = `(${components.map((name) => JSON.stringify(name)).join(' ')})${output.join('')}`
  const lines = components.map((name) => `${JSON.stringify(name)}: ${parts[name] ?? ''}`)
  const base = [...lines, `"@signature-params": ${input}`].join('\n')
  const signature =
    typeof key === 'string' ? createHmac('sha256', key).update(base).digest() : sign(null, Buffer.from(base), key)
  return { ...fields, 'Signature-Input': `sig1=${input}`, Signature: `sig1=:${signature.toString('base64')}:` }
}
