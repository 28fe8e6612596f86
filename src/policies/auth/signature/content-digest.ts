import { hash, timingSafeEqual } from 'node:crypto'
import { collect } from '../../../http/body.ts'
import type { Exchange } from '../../../http/exchange.ts'
import { parseByteSequences } from '../../structured-fields.ts'
import { CredentialError } from '../credential-error.ts'

/** Algorithms that count (RFC 9530 section 5): the others are broken. */
const ALGORITHMS = { 'sha-512': 'sha512', 'sha-256': 'sha256' } as const

/**
 * Checks the body against Content-Digest (RFC 9530), whole and in memory, and has it go on as it is. Rejects with
 * CredentialError 'digest' for another one, and GatewayError 'content-too-large' for one of over `limit` octets.
 */
export async function checkContentDigest(exchange: Exchange, limit: number): Promise<void> {
  const said = parseByteSequences(exchange.headers.combined('Content-Digest') ?? '')
  const known = Object.entries(ALGORITHMS).flatMap(([name, algorithm]) => {
    const digest = said?.get(name)
    return digest === undefined ? [] : [{ algorithm, digest }]
  })
  if (known.length === 0) throw new CredentialError('digest')
  const body = await collect(exchange.body, limit, exchange.client.address)
  // Whatever comes of it: what was read is not to be had again.
  if (exchange.body !== null) exchange.body = body
  const isRight = known.every(({ algorithm, digest }) => isDigest(hash(algorithm, body.toBuffer(), 'buffer'), digest))
  if (!isRight) throw new CredentialError('digest')
}

function isDigest(expected: Buffer, given: Buffer): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given)
}
