import type { Behavior } from './behavior.ts'

/** Serves as many requests at a time as the current behavior allows, in the order of arrival. */
export class Slots {
  private readonly behavior: () => Behavior
  private readonly waiting: (() => void)[] = []
  private busy = 0

  constructor(behavior: () => Behavior) {
    this.behavior = behavior
  }

  /** Calls `done` when the request has been served. */
  serve(done: () => void): void {
    this.waiting.push(done)
    this.next()
  }

  private next(): void {
    while (this.busy < this.behavior().slots) {
      const done = this.waiting.shift()
      if (done === undefined) return
      this.busy++
      setTimeout(() => {
        this.busy--
        done()
        this.next()
      }, time(this.behavior()))
    }
  }
}

function time({ mean, slow }: Behavior): number {
  if (Math.random() < slow.share) return slow.from + Math.random() * (slow.to - slow.from)
  return -mean * Math.log(1 - Math.random())
}
