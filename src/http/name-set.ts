import { sameForCgiAt, sameNameAt } from './same-name.ts'

const COLON = 58

/** How one set relates to another. */
interface Relation {
  readonly other: NameSet
  readonly meets: boolean
  readonly union: NameSet | null
}

/** Names of header fields, indexed once so that all of them are found in one pass over a message. */
export class NameSet {
  private readonly names: ReadonlySet<string>
  /** Character code of a first letter, either case -> the names, in lower case, that begin with it. */
  private readonly byFirst: (readonly string[] | undefined)[] = Array<readonly string[] | undefined>(128)
  private readonly forCgi: boolean
  private readonly sameAt: typeof sameNameAt
  /** Relations to other sets, computed once each, as the same sets meet in message after message. */
  private readonly relations = new WeakMap<NameSet, Relation>()
  /** The relation used last, which on most paths through the policies is also the next one needed. */
  private last: Relation | null = null

  /** `forCgi` also matches names with "_" instead of "-", as some services treat both alike. */
  constructor(names: Iterable<string>, forCgi = false) {
    this.forCgi = forCgi
    this.sameAt = forCgi ? sameForCgiAt : sameNameAt
    this.names = new Set(Array.from(names, (name) => name.toLowerCase()))
    const byFirst = Map.groupBy(this.names, (name) => name.charAt(0))
    this.byFirst.fill(undefined)
    for (const [first, group] of byFirst)
      for (const letter of [first, first.toUpperCase()]) this.byFirst[letter.charCodeAt(0)] = group
  }

  /** Whether it matches a field of that name, in any case. */
  has(name: string): boolean {
    const group = this.byFirst[name.charCodeAt(0)]
    if (group === undefined) return false
    for (const each of group) if (each.length === name.length && this.sameAt(name, 0, each)) return true
    return false
  }

  /** Whether one of the two sets matches a name of the other. */
  meets(other: NameSet): boolean {
    return this.relationTo(other).meets
  }

  /** The union of both; null where only one of them matches "_" for "-". */
  with(other: NameSet): NameSet | null {
    return this.relationTo(other).union
  }

  /** Whether one of the fields, each "Name: value\r\n", has one of these names. */
  isIn(fields: string): boolean {
    for (let at = 0; at < fields.length; at = fields.indexOf('\n', at) + 1) if (this.beginsAt(fields, at)) return true
    return false
  }

  /** The fields, each "Name: value\r\n", without those of these names. */
  without(fields: string): string {
    let remaining = ''
    let start = 0
    let at = 0
    while (at < fields.length) {
      const next = fields.indexOf('\n', at) + 1
      if (this.beginsAt(fields, at)) {
        if (start < at) remaining += fields.slice(start, at)
        start = next
      }
      at = next
    }
    return start === 0 ? fields : remaining + fields.slice(start)
  }

  private relationTo(other: NameSet): Relation {
    if (this.last?.other === other) return this.last
    const known = this.relations.get(other)
    this.last = known ?? {
      other,
      meets: this.hasAny(other) || other.hasAny(this),
      union: this.forCgi === other.forCgi ? this.unionWith(other) : null,
    }
    if (known === undefined) this.relations.set(other, this.last)
    return this.last
  }

  private hasAny({ names }: NameSet): boolean {
    for (const name of names) if (this.has(name)) return true
    return false
  }

  private unionWith({ names }: NameSet): NameSet {
    const union = new Set([...this.names, ...names])
    return union.size === this.names.size ? this : new NameSet(union, this.forCgi)
  }

  private beginsAt(fields: string, at: number): boolean {
    const group = this.byFirst[fields.charCodeAt(at)]
    if (group === undefined) return false
    for (const name of group)
      if (fields.charCodeAt(at + name.length) === COLON && this.sameAt(fields, at, name)) return true
    return false
  }
}
