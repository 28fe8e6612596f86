/** A name that means nothing, and those that would mean something. */
export interface UnknownName {
  readonly name: string
  readonly known: readonly string[]
}

/** What is wrong with a rule as it is written. */
export class RuleProblem extends Error {
  readonly unknown: UnknownName | null

  constructor(message: string, unknown: UnknownName | null = null) {
    super(message)
    this.name = 'RuleProblem'
    this.unknown = unknown
  }
}

/** The message with the place in the rule, counted from one, where it is known. */
export function placed(message: string, at: number | undefined): string {
  return at === undefined ? message : `${message} at character ${at + 1}`
}
