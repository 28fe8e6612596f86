import type { Bytes } from '../../../http/body.ts'

/** Bodies that this thread has a copy of for as long as somebody uses that, so that all who do at the same time have the same one. */
export class SentBodies {
  private readonly bodies = new Map<number, WeakRef<Bytes>>()
  private readonly gone = new FinalizationRegistry<number>((id) => {
    if (this.bodies.get(id)?.deref() === undefined) this.bodies.delete(id)
  })

  /** That of the entry with that id. */
  get(id: number): Bytes | undefined {
    return this.bodies.get(id)?.deref()
  }

  /** Keeps it in view. */
  add(id: number, body: Bytes): void {
    if (this.get(id) === body) return
    this.bodies.set(id, new WeakRef(body))
    this.gone.register(body, id)
  }
}
