import { createHash, hash } from 'node:crypto'
import { type Body, type BodyStream, type Bytes, isStream } from '../../http/body.ts'
import type { ClientCertificate } from '../../http/client-certificate.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Headers } from '../../http/headers.ts'
import { PassingBody } from '../../http/passing-body.ts'
import { sentPath } from '../../http/path-forms.ts'

const ALGORITHM = 'sha256'
const ENCODING = 'base64url'

/** A digest of all the parts. */
export function digestOf(parts: readonly unknown[]): string {
  return hash(ALGORITHM, JSON.stringify(parts), ENCODING)
}

/**
 * A digest of a request, without its body, and of its caller. Callers without a consumer are distinguished by the given
 * credential headers and by the subject of a client certificate. The same request by another caller, or with different permissions,
 * has a different digest.
 */
export function headDigest(exchange: Exchange, credentials: readonly string[]): string {
  const { method, host, query, headers, consumer, client } = exchange
  const content = [headers.getAll('Content-Type'), headers.getAll('Content-Encoding')]
  const who =
    consumer === null
      ? [...credentials.map((name) => headers.getAll(name)), ...ownerOf(client.certificate)]
      : [consumer.tier, consumer.roles.toSorted(), consumer.scopes.toSorted()]
  return digestOf([method, host.toLowerCase(), sentPath(exchange), query, content, who])
}

/** The subject of a certificate; unchanged when the certificate is renewed. */
function ownerOf(certificate: ClientCertificate | null): readonly unknown[] {
  return certificate === null ? [] : [certificate.issuer, certificate.subject, certificate.names]
}

/** Provides the digest of a request's body. */
export interface Digested {
  /** Null until the whole body has arrived. */
  readonly digest: string | null
}

/** Computes the digest of a body while it passes through, without storing it. */
class DigestedBody extends PassingBody implements Digested {
  digest: string | null = null
  private readonly hash = createHash(ALGORITHM)

  override write(chunk: Buffer): boolean {
    this.hash.update(chunk)
    return super.write(chunk)
  }

  override end(trailers: Headers | null): void {
    this.digest = this.hash.digest(ENCODING)
    super.end(trailers)
  }
}

/** Has the digest of the exchange's body computed while the body is read. */
export function digestBody(exchange: Exchange): Digested {
  const { body } = exchange
  if (!isStream(body)) return { digest: digestOfBytes(body) }
  const digested = new DigestedBody(body)
  exchange.body = digested
  return digested
}

/** Reads a body to its end only to compute its digest. Rejects with the error of the body. */
export function readDigest(body: Body): Promise<string> {
  return isStream(body) ? streamDigest(body) : Promise.resolve(digestOfBytes(body))
}

function digestOfBytes(body: Bytes | null): string {
  return createHash(ALGORITHM)
    .update(body === null ? '' : body.toBuffer())
    .digest(ENCODING)
}

function streamDigest(body: BodyStream): Promise<string> {
  const made = createHash(ALGORITHM)
  return new Promise((resolve, reject) => {
    body.pipe({
      write(chunk) {
        made.update(chunk)
        return true
      },
      end: () => resolve(made.digest(ENCODING)),
      fail: reject,
    })
  })
}
