/** Steps from the root of the configuration to a value: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[]

/** A place in a file; line and column are counted from 1. */
export interface SourcePosition {
  readonly line: number
  readonly column: number
}

/** A problem in a configuration. */
export interface Problem {
  /** The file it is in; undefined for a configuration that was passed as a value. */
  readonly file?: string | undefined
  /** The place in the file, if known. */
  readonly position?: SourcePosition | undefined
  /** The place in the configuration, such as `routes[0].match.path`; "" for the whole. */
  readonly path: string
  /** What is wrong and what is allowed. */
  readonly message: string
}

/** A configuration that cannot be used; the message lists all problems, one per line. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  /** Files that were read for the configuration, or would have been, with digests of their contents where known. */
  readonly files: ReadonlyMap<string, string>

  constructor(problems: readonly Problem[], files: ReadonlyMap<string, string> = new Map()) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
    this.files = files
  }
}

/** `file:line:column: path: message`, without the unknown parts. */
export function formatProblem({ file, position, path, message }: Problem): string {
  const place = [file, position?.line, position?.column].filter((part) => part !== undefined).join(':')
  return [place, path, message].filter((part) => part !== '').join(': ')
}

/** A problem in machine-readable form, for the admin API and the command line. */
export function problemMember({ file, position, path, message }: Problem) {
  return { file: file ?? null, line: position?.line ?? null, column: position?.column ?? null, path, message }
}

/** Formats a path as `a.b[0]["odd key"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

/** The inverse of `formatPath`. */
export function stepsOf(text: string): Path {
  const steps = text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([\w-]+)/g)
  return Array.from(steps, ([, index, quoted, name]) => {
    if (index !== undefined) return Number(index)
    return quoted === undefined ? String(name) : String(JSON.parse(quoted))
  })
}

/** Sorts by position, problems without one first; otherwise the order is kept. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0),
  )
}
