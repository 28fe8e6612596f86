import { sameForCgiAt, sameNameAt } from './same-name.ts'

const COLON = 58

/** Names of header fields, indexed once so that all of them are looked for in one pass over a message. */
export class NameSet {
  private readonly names: ReadonlySet<string>
  /** Character code of a first letter, either case -> the names, in lower case, that begin with it. */
  private readonly byFirst: (readonly string[] | undefined)[] = Array<readonly string[] | undefined>(128)
  private readonly sameAt: typeof sameNameAt

  /** `forCgi` finds names with "_" in place of "-" as well, as services may read both alike. */
  constructor(names: Iterable<string>, forCgi = false) {
    this.sameAt = forCgi ? sameForCgiAt : sameNameAt
    this.names = new Set(Array.from(names, (name) => name.toLowerCase()))
    const byFirst = Map.groupBy(this.names, (name) => name.charAt(0))
    this.byFirst.fill(undefined)
    for (const [first, group] of byFirst)
      for (const letter of [first, first.toUpperCase()]) this.byFirst[letter.charCodeAt(0)] = group
  }

  /** Whether the name, in lower case, is one of them. */
  has(name: string): boolean {
    return this.names.has(name)
  }

  /** Whether one of the fields, each "Name: value\r\n", has one of these names. */
  isIn(fields: string): boolean {
    for (let at = 0; at < fields.length; at = fields.indexOf('\n', at) + 1) if (this.beginsAt(fields, at)) return true
    return false
  }

  /** The fields, each "Name: value\r\n", without those of these names. */
  without(fields: string): string {
    let kept = ''
    let start = 0
    let at = 0
    while (at < fields.length) {
      const next = fields.indexOf('\n', at) + 1
      if (this.beginsAt(fields, at)) {
        if (start < at) kept += fields.slice(start, at)
        start = next
      }
      at = next
    }
    return start === 0 ? fields : kept + fields.slice(start)
  }

  private beginsAt(fields: string, at: number): boolean {
    const group = this.byFirst[fields.charCodeAt(at)]
    if (group === undefined) return false
    for (const name of group)
      if (fields.charCodeAt(at + name.length) === COLON && this.sameAt(fields, at, name)) return true
    return false
  }
}
