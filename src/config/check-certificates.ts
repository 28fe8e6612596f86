import { ClientAuthorityError, type ClientAuthorityPlaces, readClientAuthorities } from '../tls/client-authorities.ts'
import { readKeyPair } from '../tls/key-pair.ts'
import type { Finding } from './issues.ts'
import type { Path } from './problems.ts'
import type { GatewayConfig } from './schema.ts'

/** Problems with the certificates that listeners present, at `now` in wall-clock milliseconds. */
export function checkCertificates({ listeners }: GatewayConfig, now: number): Finding[] {
  return listeners.flatMap(({ tls }, i) => [
    ...(tls?.certificates ?? []).flatMap((files, j) =>
      readKeyPair(files, now, 'server').problems.map((message) => ({
        path: ['listeners', i, 'tls', 'certificates', j],
        isKey: false,
        message,
      })),
    ),
    ...checkClients(tls?.clientCertificates, ['listeners', i, 'tls', 'clientCertificates']),
  ])
}

function checkClients(places: ClientAuthorityPlaces | undefined, path: Path): Finding[] {
  if (places === undefined) return []
  try {
    readClientAuthorities(places)
    return []
  } catch (error) {
    if (!(error instanceof ClientAuthorityError)) throw error
    const { member, message } = error
    return [{ path: [...path, member], isKey: false, message: `${JSON.stringify(places[member])} ${message}` }]
  }
}
