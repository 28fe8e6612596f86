import { GatewayError } from '../core/errors.ts'

/** Spellings and readings of a path that differ from its normal form. */
export interface PathForms {
  /** The normal form that these forms belong to: once a policy has changed the path, they no longer apply. */
  readonly path: string
  /** What services receive instead of the normal form: with the client's spelling and its repeated slashes. */
  readonly sent: string
  /**
   * The same for matching, hex digits in upper case: must match the same route, with the same parameters, as the normal
   * form.
   */
  readonly written: string | null
  /**
   * How services might read the path that decode slashes or cut off path parameters: must not match any other route.
   */
  readonly others: readonly string[]
}

interface Pathed {
  readonly path: string
  /** Null for a path that has only one form. */
  readonly forms: PathForms | null
}

/** The path that a service receives where it is not rewritten. */
export function sentPath({ path, forms }: Pathed): string {
  return forms !== null && forms.path === path ? forms.sent : path
}

/** The forms of the current path; null where it has only one. */
export function formsOf({ path, forms }: Pathed): PathForms | null {
  return forms !== null && forms.path === path ? forms : null
}

/** The refusal of a path whose forms lead to different routes. */
export function ambiguousPath(detail: string): GatewayError {
  return new GatewayError('bad-request', detail)
}

/** The detail for a path whose spelling makes a difference. */
export const SPELLED_AMBIGUOUSLY =
  'The path leads to another route once repeated slashes and needless escapes are removed: send it in that form.'

/** The detail for a path that some services read as another one. */
export const READ_AMBIGUOUSLY =
  'The path leads to another route if slashes are decoded or path parameters (";…") are removed: leave them out.'
