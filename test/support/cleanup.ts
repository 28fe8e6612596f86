import type { TestContext } from 'node:test'

const stacks = new WeakMap<TestContext, (() => unknown)[]>()

/** Registers a cleanup for the end of the test; cleanups run in reverse order. */
export function cleanUp(t: TestContext, undo: () => unknown): void {
  const known = stacks.get(t)
  if (known !== undefined) return void known.push(undo)
  const stack = [undo]
  stacks.set(t, stack)
  t.after(async () => {
    for (const task of stack.toReversed()) await task()
  })
}
