import { Transform } from 'node:stream'
import type { Clock } from '../src/core/clock.ts'

/** A reporter without output that ends the run if no test has reported anything for `most` ms. */
export function endSilence(clock: Clock, most: number, end: () => void): Transform {
  let cancel = clock.after(most, end)
  return new Transform({
    writableObjectMode: true,
    transform(_event, _encoding, done) {
      cancel()
      cancel = clock.after(most, end)
      done()
    },
    flush(done) {
      cancel()
      done()
    },
  })
}
