import type { Policy } from '../policies/policy.ts'
import type { Finding } from './issues.ts'

/** A configuration that has been read but not yet checked against its schema. */
export interface UncheckedConfig {
  /** Paths of files are absolute, and the paths of documents, certificates and keys are replaced by the contents. */
  readonly value: unknown
  /** Every policy that it may name, in chain order. */
  readonly chain: readonly Policy[]
  /** Problems with the files that it names. */
  readonly findings: readonly Finding[]
}
