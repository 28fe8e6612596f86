import { fieldOf, type Fields, isFields, itemsOf } from '../../core/value.ts'
import { textOf } from '../read.ts'
import { Entry } from '../report.ts'
import type { SourceTree } from '../source-tree.ts'
import { type KindFacts, kinds, unknownKind } from './kinds.ts'

/** An entity of a declarative file, wherever it is written. */
export interface Entity {
  /** The list that it belongs to, such as "routes". */
  readonly kind: string
  readonly fields: Fields
  /** The entity that contains it. */
  readonly parent: Entity | null
  readonly entry: Entry
}

/** Every entity of a declarative file, once, in file order. */
export class Entities {
  readonly all: readonly Entity[]
  private readonly byName = new Map<string, Entity>()
  private readonly byKind: ReadonlyMap<string, readonly Entity[]>

  constructor(tree: SourceTree) {
    const found: Entity[] = []
    const collect = (list: unknown, kind: string, facts: KindFacts, parent: Entity | null): void => {
      for (const item of itemsOf(list)) {
        const position = isFields(item) || parent === null ? tree.positionOf(item) : parent.entry.position
        const fields = isFields(item) ? item : shorthand(item, facts)
        const owner =
          facts.named.length > 0 ? '' : (parent?.entry.name ?? referenceOf(fieldOf(fields, 'consumer')) ?? '')
        const entry = new Entry(facts.called, nameOf(fields, facts) || owner, position)
        const entity: Entity = { kind, fields, parent, entry }
        found.push(entity)
        for (const [field, nestedKind] of Object.entries(facts.nested))
          collect(fieldOf(fields, field), nestedKind, kinds[nestedKind] ?? unknownKind(nestedKind), entity)
      }
    }
    for (const [list, value] of Object.entries(isFields(tree.value) ? tree.value : {}))
      if (!list.startsWith('_')) collect(value, list, kinds[list] ?? unknownKind(list), null)
    this.all = found
    this.byKind = Map.groupBy(found, ({ kind }) => kind)
    for (const entity of found)
      for (const name of namesOf(entity)) {
        const key = `${entity.kind} ${name}`
        if (!this.byName.has(key)) this.byName.set(key, entity)
      }
  }

  ofKind(kind: string): readonly Entity[] {
    return this.byKind.get(kind) ?? []
  }

  /**
   * The entity that another one belongs to, by nesting or by reference; null if it has no reference, undefined if the reference does not
   * resolve.
   */
  of(entity: Entity, field: string): Entity | null | undefined {
    const kind = (kinds[entity.kind] ?? unknownKind(entity.kind)).foreign[field]
    if (kind === undefined) return null
    if (entity.parent?.kind === kind) return entity.parent
    const name = referenceOf(fieldOf(entity.fields, field))
    return name === null ? null : this.byName.get(`${kind} ${name}`)
  }

  /** The entity of that kind with that name or id. */
  find(kind: string, name: string): Entity | undefined {
    return this.byName.get(`${kind} ${name}`)
  }
}

/** A foreign key: a name, an id, or a map with one of them. */
function referenceOf(value: unknown): string | null {
  if (!isFields(value)) return textOf(value) ?? null
  for (const field of ['id', 'name', 'username']) {
    const name = textOf(value[field])
    if (name !== undefined) return name
  }
  return null
}

function namesOf({ kind, fields }: Entity): string[] {
  const names = kind === 'consumers' ? ['id', 'username'] : ['id', 'name']
  return names.map((name) => textOf(fields[name])).filter((name) => name !== undefined)
}

function nameOf(fields: Fields, { named }: KindFacts): string {
  for (const field of named) {
    const name = textOf(fields[field])
    if (name !== undefined && name !== '') return field === 'url' ? withoutUser(name) : name
  }
  return ''
}

/** A text instead of a map is the entity's name. */
function shorthand(item: unknown, { named }: KindFacts): Fields {
  const [field] = named
  const text = textOf(item)
  return field === undefined || text === undefined ? {} : { [field]: text }
}

/** Removes the part before "@", which is secret. */
function withoutUser(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}
