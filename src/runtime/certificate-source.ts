import type { KeyPair } from '../tls/key-pair.ts'

/** Where pairs of a listener come from. */
export interface CertificateSource {
  /** Those that are good. */
  current(): readonly KeyPair[]
  /** Has `told` called whenever they are others; returns what ends that. */
  changed(told: () => void): () => void
}
