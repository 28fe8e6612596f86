/**
 * Preloaded into a gateway under test: extends the five seconds in which clients may send one more request before their connections are
 * closed to an hour, so that even the slowest machine is in time.
 */
const TIMEOUT = 5_000
const HOUR = 3_600_000

const wait = globalThis.setTimeout
Reflect.set(globalThis, 'setTimeout', (task: () => void, ms?: number) => wait(task, ms === TIMEOUT ? HOUR : ms))
