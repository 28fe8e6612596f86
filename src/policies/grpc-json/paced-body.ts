import { PassingBody } from '../../http/passing-body.ts'

/** Bytes that are passed on in one turn of the event loop, plus what is left of a chunk. */
const IN_A_TURN = 16_384

/** Passes a body on in small steps, one per turn of the event loop, as converting small messages takes far longer than reading them. */
export class PacedBody extends PassingBody {
  private passed = 0
  /** The next turn resumes the source. */
  private waits = false
  /** The sink has returned false, and has not called `resume` since. */
  private blocked = false

  override write(chunk: Buffer): boolean {
    this.passed += chunk.length
    this.blocked = !super.write(chunk)
    if (this.passed >= IN_A_TURN && !this.waits) {
      this.waits = true
      setImmediate(() => this.takeTurn())
    }
    return !this.blocked && !this.waits
  }

  override resume(): void {
    this.blocked = false
    if (!this.waits) super.resume()
  }

  private takeTurn(): void {
    this.passed = 0
    this.waits = false
    if (!this.blocked) super.resume()
  }
}
