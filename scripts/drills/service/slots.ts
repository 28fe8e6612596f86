import type { Behaviour } from './behaviour.ts'

/** Serves as many requests at a time as the current behaviour allows, in the order of arrival. */
export class Slots {
  private readonly behaviour: () => Behaviour
  private readonly waiting: (() => void)[] = []
  private busy = 0

  constructor(behaviour: () => Behaviour) {
    this.behaviour = behaviour
  }

  /** Calls `done` when the request has been served. */
  serve(done: () => void): void {
    this.waiting.push(done)
    this.next()
  }

  private next(): void {
    while (this.busy < this.behaviour().slots) {
      const done = this.waiting.shift()
      if (done === undefined) return
      this.busy++
      setTimeout(() => {
        this.busy--
        done()
        this.next()
      }, time(this.behaviour()))
    }
  }
}

function time({ mean, slow }: Behaviour): number {
  if (Math.random() < slow.share) return slow.from + Math.random() * (slow.to - slow.from)
  return -mean * Math.log(1 - Math.random())
}
