/** Steps from the root of the configuration to a value: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[]

/** A place in a file, both counted from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Something wrong in a configuration. */
export interface Problem {
  /** The file it is in; undefined for a configuration that came as a value. */
  readonly file?: string | undefined
  /** Where in the file, as far as that is known. */
  readonly position?: Position | undefined
  /** Where in the configuration, such as `routes[0].match.path`; "" for the whole. */
  readonly path: string
  /** What is wrong and what is allowed. */
  readonly message: string
}

/** A configuration that cannot be used; the message lists all of its problems, one a line. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  /** Files that were read for it, or would have been, with digests of what they held, as far as that is known. */
  readonly files: ReadonlyMap<string, string>

  constructor(problems: readonly Problem[], files: ReadonlyMap<string, string> = new Map()) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
    this.files = files
  }
}

/** `file:line:column: path: message`, without the parts that are not known. */
export function formatProblem({ file, position, path, message }: Problem): string {
  const place = [file, position?.line, position?.column].filter((part) => part !== undefined).join(':')
  return [place, path, message].filter((part) => part !== '').join(': ')
}

/** A problem for programs, as the admin API and the command line tell of it. */
export function problemMember({ file, position, path, message }: Problem) {
  return { file: file ?? null, line: position?.line ?? null, column: position?.column ?? null, path, message }
}

/** `a.b[0]["odd key"]` of a path. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

/** The path that `formatPath` wrote so. */
export function stepsOf(text: string): Path {
  const steps = text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([\w-]+)/g)
  return Array.from(steps, ([, index, quoted, name]) => {
    if (index !== undefined) return Number(index)
    return quoted === undefined ? String(name) : String(JSON.parse(quoted))
  })
}

/** Ascending by position, those without one first; otherwise in the given order. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0),
  )
}
