import { before, type TestContext } from 'node:test'

/** What the tests of a file use without changing it: begins when the first of them asks for it, and ends after the last test of the process. */
export function shared<T>(begin: (t: TestContext) => Promise<T>): () => Promise<T> {
  const { promise: whole, resolve } = Promise.withResolvers<TestContext>()
  before((t) => {
    if ('after' in t) resolve(t)
  })
  let begun: Promise<T> | null = null
  return () => (begun ??= whole.then(begin))
}
