/** An unknown name, and the names that are known in its place. */
export interface UnknownName {
  readonly name: string
  readonly known: readonly string[]
}

/** What is wrong with a rule. */
export class RuleProblem extends Error {
  readonly unknown: UnknownName | null

  constructor(message: string, unknown: UnknownName | null = null) {
    super(message)
    this.name = 'RuleProblem'
    this.unknown = unknown
  }
}

/** The message with the position in the rule, counted from one, if it is known. */
export function placed(message: string, at: number | undefined): string {
  return at === undefined ? message : `${message} at character ${at + 1}`
}
