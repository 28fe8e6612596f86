import type { LoggedRequest } from './logged-request.ts'
import type { Ending } from './side.ts'

/** Maximum number of groups of one kind, and of examples of each. */
const MAX = 100
const EXAMPLES = 3
/** Maximum number of unreadable lines shown. */
const SHOWN = 5
/** Maximum number of characters of a line shown. */
const WIDTH = 120

/** A request in a group. */
export interface Example {
  readonly line: number
  readonly method: string
  readonly url: string
  readonly before: Ending
  /** Omitted if unknown. */
  readonly after?: Ending
}

/** Requests with the same change. */
export interface Group {
  count: number
  /** The change, as in "now 404 …". */
  readonly text: string
  readonly examples: Example[]
}

/** The effect of another configuration on a log. */
export interface Report {
  /** Requests of the log that were examined. */
  readonly requests: number
  readonly same: number
  readonly changed: number
  readonly undecided: number
  /** When the first and the last of them began; null if there are none. */
  readonly from: string | null
  readonly to: string | null
  readonly changes: readonly Group[]
  /** Why some requests are undecided; a request may be in several groups. */
  readonly reasons: readonly Group[]
  /** Lines that are not requests, and the first of those that cannot be read. */
  readonly otherLines: number
  readonly malformed: number
  readonly problems: readonly { readonly line: number; readonly problem: string; readonly text: string }[]
}

/** Sums up the verdicts on the requests of a log. It holds a few examples of each kind, however long the log is. */
export class Tally {
  requests = 0
  private same = 0
  private changed = 0
  private undecided = 0
  private otherLines = 0
  private malformed = 0
  private readonly changes = new Map<string, Group>()
  private readonly reasons = new Map<string, Group>()
  private readonly problems: { line: number; problem: string; text: string }[] = []
  private first = Infinity
  private last = -Infinity

  /** A line is a request that is examined. */
  seen({ start }: LoggedRequest): void {
    this.requests++
    if (start < this.first) this.first = start
    if (start > this.last) this.last = start
  }

  other(): void {
    this.otherLines++
  }

  unreadable(line: number, problem: string, text: string): void {
    this.malformed++
    if (this.problems.length < SHOWN) this.problems.push({ line, problem, text: text.slice(0, WIDTH) })
  }

  unchanged(): void {
    this.same++
  }

  change(request: LoggedRequest, text: string, after: Ending): void {
    this.changed++
    add(this.changes, text, request, after)
  }

  cannotTell(request: LoggedRequest, reasons: readonly string[]): void {
    this.undecided++
    for (const reason of reasons) add(this.reasons, reason, request)
  }

  report(): Report {
    const { requests, same, changed, undecided, otherLines, malformed, problems } = this
    return {
      requests,
      same,
      changed,
      undecided,
      from: timeOf(this.first),
      to: timeOf(this.last),
      changes: largestFirst(this.changes),
      reasons: largestFirst(this.reasons),
      otherLines,
      malformed,
      problems,
    }
  }
}

function add(groups: Map<string, Group>, what: string, request: LoggedRequest, after?: Ending): void {
  const text = groups.has(what) || groups.size < MAX ? what : 'other kinds, too many to list'
  const group = groups.get(text) ?? { count: 0, text, examples: [] }
  groups.set(text, group)
  group.count++
  if (group.examples.length >= EXAMPLES) return
  const { line, method, scheme, host, path, query, route, status, service, code } = request
  const url = `${host === '' ? '' : `${scheme}://${host}`}${path}${query}`
  const before = { route, status, service, code }
  const ending = after && { route: after.route, status: after.status, service: after.service, code: after.code }
  group.examples.push({ line, method, url, before, ...(ending && { after: ending }) })
}

function largestFirst(groups: ReadonlyMap<string, Group>): Group[] {
  return [...groups.values()].toSorted((a, b) => b.count - a.count)
}

function timeOf(time: number): string | null {
  return Number.isFinite(time) ? new Date(time).toISOString() : null
}
