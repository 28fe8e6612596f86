import type { Command } from '../../../bench/children.ts'

/** Where a peer runs and what is behind it. */
export interface Place {
  readonly port: number
  readonly adminPort: number
  /** For its files. */
  readonly dir: string
  readonly service: Addresses
}

/** Where the instances of the service are: at known addresses, or at those that a name has at the moment. */
export type Addresses =
  | { readonly instances: readonly string[] }
  | { readonly name: string; readonly port: number; readonly server: string }

/** A gateway or proxy that is drilled. */
export interface Peer {
  readonly name: string
  /** What is installed here; undefined where nothing is. */
  version(): string | undefined
  /** Writes its configuration and returns how to start it in the foreground. */
  prepare(place: Place): Promise<Command>
  /** What it tells of itself after a drill. */
  told?(place: Place): Promise<Told>
}

/** What Sallyport counts: instances that were ejected, and requests that it has shed. */
export interface Told {
  readonly ejections: number
  readonly shed: number
}
