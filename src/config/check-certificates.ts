import { readKeyPair } from '../tls/key-pair.ts'
import type { Finding } from './issues.ts'
import type { GatewayConfig } from './schema.ts'

/** What is wrong with the certificates that listeners are to show, at `now` in wall-clock milliseconds. */
export function checkCertificates({ listeners }: GatewayConfig, now: number): Finding[] {
  return listeners.flatMap(({ tls }, i) =>
    (tls?.certificates ?? []).flatMap((files, j) =>
      readKeyPair(files, now, 'server').problems.map((message) => ({
        path: ['listeners', i, 'tls', 'certificates', j],
        isKey: false,
        message,
      })),
    ),
  )
}
