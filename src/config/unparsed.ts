import type { Policy } from '../policies/policy.ts'
import type { Finding } from './issues.ts'

/** A configuration that is read, and not yet checked against its schema. */
export interface Unparsed {
  /** With the paths of files made absolute, and documents, certificates and keys in place of theirs. */
  readonly value: unknown
  /** Every policy that it may name, in the order of the chain. */
  readonly chain: readonly Policy[]
  /** What is wrong with the files that it names. */
  readonly findings: readonly Finding[]
}
