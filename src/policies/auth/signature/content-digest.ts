import { hash, timingSafeEqual } from 'node:crypto'
import { collect, isStream } from '../../../http/body.ts'
import type { Exchange } from '../../../http/exchange.ts'
import { parseByteSequences } from '../../structured-fields.ts'
import { CredentialError } from '../credential-error.ts'

/** Accepted algorithms (RFC 9530 section 5): the others are insecure. */
const ALGORITHMS = { 'sha-512': 'sha512', 'sha-256': 'sha256' } as const

/**
 * Reads the whole body into memory and checks it against Content-Digest (RFC 9530); the body is then passed on unchanged. Rejects
 * with CredentialError 'digest' if it does not match, and with GatewayError 'content-too-large' if it is larger than `limit` bytes.
 */
export async function checkContentDigest(exchange: Exchange, limit: number): Promise<void> {
  const digests = parseByteSequences(exchange.headers.combined('Content-Digest') ?? '')
  const known = Object.entries(ALGORITHMS).flatMap(([name, algorithm]) => {
    const digest = digests?.get(name)
    return digest === undefined ? [] : [{ algorithm, digest }]
  })
  if (known.length === 0) throw new CredentialError('digest')
  const body = await collect(exchange.body, limit, exchange.client.address)
  // In any case: what was read cannot be read a second time, and trailers were dropped with the stream.
  if (isStream(exchange.body)) exchange.headers.delete('Trailer')
  if (exchange.body !== null) exchange.body = body
  const isRight = known.every(({ algorithm, digest }) => isDigest(hash(algorithm, body.toBuffer(), 'buffer'), digest))
  if (!isRight) throw new CredentialError('digest')
}

function isDigest(expected: Buffer, actual: Buffer): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
