import type { Certificate } from '../certificate.ts'
import type { Command } from '../children.ts'

/** Where one proxy runs: it listens on `port`, forwards everything to `backendPort`, and keeps its files in `dir`. */
export type Place = {
  port: number
  adminPort: number
  backendPort: number
  dir: string
  /** The folder whose files it serves itself, below the path /files; undefined if there are none. */
  files: string | undefined
  /** The certificate that it presents, if clients use TLS. */
  certificate: Certificate | undefined
  /** Clients use HTTP/2. */
  http2: boolean
  /** The service uses HTTP/2, with prior knowledge. */
  http2Service: boolean
  /** Top-level keys of Sallyport's configuration that the scenario sets; other peers ignore them. */
  sallyport: Record<string, unknown>
}

/** A proxy that can be measured. */
export type Peer = {
  name: string
  /** Whether it must handle many requests before its code is compiled. */
  jit: boolean
  /** Whether it takes part only in scenarios that name it. Default false. */
  onlyNamed?: true
  /** The installed version; undefined if it is not installed. */
  version(): string | undefined
  /** Writes its configuration and returns the command that starts it in the foreground. */
  prepare(place: Place): Promise<Command>
}

/** Connections to the service that every proxy may keep: as many as the scenario with the most clients can use. */
export const pooledConnections = 1024
