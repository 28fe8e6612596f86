import type { KeyPair } from '../tls/key-pair.ts'

/** Source of a listener's key pairs. */
export interface CertificateSource {
  /** The valid pairs. */
  current(): readonly KeyPair[]
  /** Calls `listener` whenever they change; returns a function that stops this. */
  onChange(listener: () => void): () => void
}
