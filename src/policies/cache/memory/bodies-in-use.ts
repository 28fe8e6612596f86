import type { Bytes } from '../../../http/body.ts'

/** The thread's copies of bodies that are in use, so that concurrent replies share one copy. They are held weakly. */
export class BodiesInUse {
  private readonly bodies = new Map<number, WeakRef<Bytes>>()
  private readonly registry = new FinalizationRegistry<number>((id) => {
    if (this.bodies.get(id)?.deref() === undefined) this.bodies.delete(id)
  })

  /** The copy of the body of the entry with that id. */
  get(id: number): Bytes | undefined {
    return this.bodies.get(id)?.deref()
  }

  /** Registers a copy. */
  add(id: number, body: Bytes): void {
    if (this.get(id) === body) return
    this.bodies.set(id, new WeakRef(body))
    this.registry.register(body, id)
  }
}
