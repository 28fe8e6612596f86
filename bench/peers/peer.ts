import type { Certificate } from '../certificate.ts'
import type { Command } from '../children.ts'

/** Where one proxy runs: it listens on `port`, sends everything to `backendPort`, and keeps its files in `dir`. */
export type Place = {
  port: number
  adminPort: number
  backendPort: number
  dir: string
  /** The folder whose files it sends itself, below the path /files; undefined where there are none. */
  files: string | undefined
  /** What it shows to clients, where those speak TLS. */
  certificate: Certificate | undefined
  /** Clients speak HTTP/2. */
  http2: boolean
  /** The service does, with prior knowledge. */
  http2Service: boolean
  /** Top-level keys of Sallyport's configuration that the scenario sets; other peers do not know them. */
  sallyport: Record<string, unknown>
}

/** A proxy that can be measured. */
export type Peer = {
  name: string
  /** Whether it must run many requests before its code is compiled. */
  jit: boolean
  /** Whether it takes part only where a scenario names it. Default false. */
  onlyNamed?: true
  /** What is installed here; undefined when nothing is. */
  version(): string | undefined
  /** Writes its configuration and returns how to start it in the foreground. */
  prepare(place: Place): Promise<Command>
}

/** Connections to the service that every proxy may hold: as many as the scenario with most clients can use. */
export const pooledConnections = 1024
