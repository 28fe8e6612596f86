import type { DocsObject } from '../policies/policy-docs.ts'
import { componentName, firstFree } from './names.ts'

/** Components of one kind, by name; equal ones are stored once. */
export class ComponentSet {
  private readonly kind: string
  private readonly items = new Map<string, DocsObject>()
  private readonly names = new Map<string, string>()

  constructor(kind: string) {
    this.kind = kind
  }

  /** The name of that component: the preferred one, unless it is taken by another component. */
  nameOf(wish: string, item: DocsObject): string {
    const text = `${wish} ${JSON.stringify(item)}`
    const name = this.names.get(text) ?? firstFree(componentName(wish), this.items)
    this.names.set(text, name)
    this.items.set(name, item)
    return name
  }

  /** A Reference Object for that component. */
  refer(wish: string, item: DocsObject): DocsObject {
    return { $ref: `#/components/${this.kind}/${this.nameOf(wish, item)}` }
  }

  /** The member of the Components Object; empty if there are no components. */
  get component(): DocsObject {
    return this.items.size === 0 ? {} : { [this.kind]: Object.fromEntries(this.items) }
  }
}
