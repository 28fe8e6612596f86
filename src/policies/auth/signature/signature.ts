import { hash } from 'node:crypto'
import type { Exchange } from '../../../http/exchange.ts'
import { type InnerList, parseByteSequences, parseInnerLists } from '../../structured-fields.ts'
import { CredentialError } from '../credential-error.ts'
import { type Identity, identityOf } from '../identity.ts'
import { defineAuthMethod } from '../method.ts'
import { isSignature, signatureKey, type SignatureKey } from './algorithms.ts'
import { covers, signatureBase } from './components.ts'
import { checkContentDigest } from './content-digest.ts'
import { signatureOptions } from './options.ts'
import { UsedSignatures } from './used-signatures.ts'

/** Most characters of Signature-Input and of Signature. */
const MAX_LENGTH = 8192

/** A client whose signatures are accepted. */
interface Signer extends SignatureKey {
  readonly identity: Identity
}

/** A signature by a known key, as found in the headers. */
interface Signed {
  readonly signer: Signer
  readonly input: InnerList
  readonly signature: Buffer
}

/** A signature verified to be that of the request. */
interface Verified {
  readonly signer: Signer
  /** The signature base. */
  readonly base: string
  /** Whether the body has to be compared with its digest. */
  readonly hasDigest: boolean
}

/** HTTP Message Signatures of requests (RFC 9421). */
export const signature = defineAuthMethod({
  name: 'signature',
  kind: 'signature',
  summary: 'Requests signed by the client (HTTP Message Signatures, RFC 9421).',
  options: signatureOptions,
  fields: ({ components }) => [
    'Signature',
    'Signature-Input',
    'Content-Digest',
    ...components.filter((name) => !name.startsWith('@')),
  ],
  secretFields: () => ['Signature', 'Signature-Input'],
  usesStores: ({ replay }) => replay === 'refuse',
  document: ({ components }) => [
    {
      name: 'signature',
      scheme: {
        type: 'apiKey',
        in: 'header',
        name: 'Signature',
        description:
          `A signature of the request (RFC 9421), with Signature-Input. It covers ${components.join(', ')} and, ` +
          'if there is a body, content-digest, and has created and keyid.',
      },
    },
  ],
  create({ keys, components, maxAge, tolerance, maxBody, replay }, toolbox) {
    const { clock } = toolbox
    const signers = new Map(
      keys.map(({ id, algorithm, secret, owner = id, tier, roles }): [string, Signer] => {
        const identity = identityOf({ id: owner, roles, scopes: [], tier, key: null, claims: {} })
        return [id, { ...signatureKey(algorithm, secret), identity }]
      }),
    )
    const used = replay === 'refuse' ? UsedSignatures.of(toolbox).join(toolbox, maxAge, tolerance) : null

    /**
     * 1. The headers are parsed, and name exactly one known key.
     * 2. The signature covers what is required, and is recent.
     * 3. It is the signature of this request.
     */
    function verified(exchange: Exchange): Verified {
      // 1.
      const { signer, input, signature: bytes } = signedBy(exchange, signers)
      // 2.
      const required = exchange.body === null ? components : [...components, 'content-digest']
      if (!covers(input, required)) throw new CredentialError('uncovered')
      checkTimes(input)
      const { parameters } = input
      if (parameters.has('alg') && parameters.get('alg') !== signer.algorithm)
        throw new CredentialError('wrong-signature')
      // 3.
      const base = signatureBase(input, exchange)
      if (base === null) throw new CredentialError('malformed-signature')
      if (!isSignature(base, bytes, signer)) throw new CredentialError('wrong-signature')
      // Even if there is no body now: someone may have removed it.
      const hasDigest = exchange.body !== null || input.items.some(({ value }) => value === 'content-digest')
      return { signer, base, hasDigest }
    }

    function checkTimes({ parameters }: InnerList): void {
      const now = clock.wall()
      const [created, expires = Infinity] = ['created', 'expires'].map((name) => timeOf(parameters.get(name)))
      if (created === undefined || Number.isNaN(created) || Number.isNaN(expires))
        throw new CredentialError('malformed-signature')
      if (
        created > now + tolerance ||
        created < now - maxAge - tolerance ||
        expires < now - tolerance ||
        used?.isOld(created) === true
      )
        throw new CredentialError('old-signature')
    }

    /** The asynchronous part. Replays are detected by what was signed, as some signatures can be encoded in more than one way. */
    async function complete(exchange: Exchange, { signer, base, hasDigest }: Verified): Promise<Identity> {
      if (hasDigest) await checkContentDigest(exchange, maxBody)
      if (used !== null && !(await used.use(hash('sha256', base, 'base64url')))) throw new CredentialError('replayed')
      return signer.identity
    }

    return {
      ...(used !== null && { takeOver: used.takeOver }),
      authenticate(exchange, checkFailures) {
        if (!exchange.headers.has('Signature-Input')) return null
        checkFailures?.(exchange)
        const found = verified(exchange)
        return found.hasDigest || used !== null ? complete(exchange, found) : found.signer.identity
      },
      conceal({ headers }) {
        headers.delete('Signature')
        headers.delete('Signature-Input')
      },
    }
  },
})

/** The only signature whose key is known. Throws CredentialError. */
function signedBy({ headers }: Exchange, signers: ReadonlyMap<string, Signer>): Signed {
  const [written = '', values = ''] = ['Signature-Input', 'Signature'].map((name) => headers.combined(name))
  const inputs = written.length > MAX_LENGTH ? null : parseInnerLists(written)
  const signatures = values.length > MAX_LENGTH ? null : parseByteSequences(values)
  if (inputs === null || signatures === null) throw new CredentialError('malformed-signature')
  const known = [...inputs].flatMap(([label, input]): Signed[] => {
    const keyId = input.parameters.get('keyid')
    const signer = typeof keyId === 'string' ? signers.get(keyId) : undefined
    const bytes = signatures.get(label)
    return signer === undefined || bytes === undefined ? [] : [{ signer, input, signature: bytes }]
  })
  const [signed, second] = known
  // With two known signers it would be ambiguous whom to trust.
  if (second !== undefined) throw new CredentialError('repeated')
  if (signed === undefined) throw new CredentialError('unknown-signer')
  return signed
}

/** Wall-clock milliseconds; undefined if it is not given, NaN if it is not a time. */
function timeOf(seconds: unknown): number | undefined {
  if (seconds === undefined) return undefined
  return typeof seconds === 'number' && Number.isInteger(seconds) ? seconds * 1000 : Number.NaN
}
