import { messageOf } from '../core/error-facts.ts'
import { readChain, readKey } from './key-pair.ts'
import { outgoingContext, type OutgoingTlsOptions } from './outgoing.ts'

/** A problem with TLS options, and which options it concerns. */
export interface OutgoingProblem {
  readonly option: 'ca' | 'cert' | 'key'
  readonly message: string
}

/** Why options with readable certificates and key cannot be used together, or null; includes OpenSSL's own check. */
export function problemOfTls(options: OutgoingTlsOptions): OutgoingProblem | null {
  const { cert, key } = options
  if (cert !== undefined && key === undefined)
    return { option: 'cert', message: 'cert without key: add the file with its private key' }
  if (key !== undefined && cert === undefined)
    return { option: 'key', message: 'key without cert: add the file with its certificate' }
  if (cert !== undefined && key !== undefined && !isPair(cert, key))
    return { option: 'key', message: 'does not match the certificate of cert' }
  try {
    outgoingContext(options)
    return null
  } catch (error) {
    const reason = messageOf(error)
    return { option: cert === undefined ? 'ca' : 'cert', message: `cannot be used: ${reason}` }
  }
}

function isPair(cert: string, key: string): boolean {
  const [leaf] = readChain(cert).chain
  const { key: own } = readKey(key)
  return leaf !== undefined && own !== null && leaf.checkPrivateKey(own)
}
