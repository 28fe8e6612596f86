import type { Command } from '../../../bench/children.ts'

/** Where a peer runs, and the service behind it. */
export interface Place {
  readonly port: number
  readonly adminPort: number
  /** For its files. */
  readonly dir: string
  readonly service: Addresses
}

/** The instances of the service: at known addresses, or at the current addresses of a DNS name. */
export type Addresses =
  | { readonly instances: readonly string[] }
  | { readonly name: string; readonly port: number; readonly server: string }

/** A gateway or proxy that takes part in the drills. */
export interface Peer {
  readonly name: string
  /** The installed version; undefined if it is not installed. */
  version(): string | undefined
  /** Writes its configuration and returns the command that starts it in the foreground. */
  prepare(place: Place): Promise<Command>
  /** What it reports of itself after a drill. */
  told?(place: Place): Promise<Told>
}

/** Sallyport's own counts: ejected instances and shed requests. */
export interface Told {
  readonly ejections: number
  readonly shed: number
}
