import { GatewayError } from '../core/errors.ts'

/** How else a path is written, or may be read, than in its normal form. */
export interface PathForms {
  /** The normal form that all of this belongs to: where a policy has changed the path, none of it counts any more. */
  readonly path: string
  /** What a service gets in place of the normal form: the spelling and the repeated slashes of the client. */
  readonly sent: string
  /** The same for matching, hex digits in upper case: it must lead where the normal form leads, with the same parameters. */
  readonly written: string | null
  /** What services make of it that decode slashes, or cut path parameters off: it must lead nowhere else. */
  readonly others: readonly string[]
}

/** Whose path it is. */
interface Pathed {
  readonly path: string
  /** Null for a path that has one form. */
  readonly forms: PathForms | null
}

/** The path that a service gets where it is not rewritten. */
export function sentPath({ path, forms }: Pathed): string {
  return forms !== null && forms.path === path ? forms.sent : path
}

/** The forms of the path that count now; null where it has one form. */
export function formsOf({ path, forms }: Pathed): PathForms | null {
  return forms !== null && forms.path === path ? forms : null
}

/** The refusal of a path whose forms lead to different places. */
export function ambiguousPath(detail: string): GatewayError {
  return new GatewayError('bad-request', detail)
}

/** Said of a path whose spelling makes a difference. */
export const SPELLED_AMBIGUOUSLY =
  'The path leads elsewhere once repeated slashes and needless escapes are removed: send it in that form.'

/** Said of a path that some services take for another one. */
export const READ_AMBIGUOUSLY =
  'The path leads elsewhere for services that decode slashes or remove path parameters (";…"): leave them out.'
