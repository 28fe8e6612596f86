import { z } from 'zod'
import type { CertificateReport } from '../runtime/certificates.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

const time = z.iso.datetime()

export const certificate = z.object({
  names: z.string().array().readonly().describe('Names that the certificate is for.'),
  source: z.enum(['acme', 'file']).describe('Whether it is issued by a CA over ACME, or comes from files.'),
  issuer: z.string().nullable().describe('Null if there is no certificate yet.'),
  notBefore: time.nullable(),
  notAfter: time.nullable().describe('When it expires.'),
  lastOrderSuccessful: z
    .boolean()
    .describe('Whether a CA issued a certificate for the last order; true if nothing has to be ordered.'),
})

/** GET /certificates: the certificates that the listeners present. */
export function certificateEndpoints(app: AdminApp, { certificates }: AdminContext): void {
  app.get(
    '/certificates',
    {
      schema: {
        summary: 'The certificates of the listeners, including those that a CA has yet to issue',
        tags: ['gateway'],
        response: { 200: z.object({ certificates: certificate.array() }) },
      },
    },
    () => ({ certificates: certificates().map(describe) }),
  )
}

function describe({ names, acme, issued, ordered }: CertificateReport): z.input<typeof certificate> {
  return {
    names,
    source: acme ? 'acme' : 'file',
    issuer: issued?.issuer ?? null,
    notBefore: issued === null ? null : timeOf(issued.notBefore),
    notAfter: issued === null ? null : timeOf(issued.notAfter),
    lastOrderSuccessful: ordered,
  }
}

function timeOf(wall: number): string {
  return new Date(wall).toISOString()
}
