import type { TestContext } from 'node:test'

const stacks = new WeakMap<TestContext, (() => unknown)[]>()

/** Undoes something at the end of the test; what was set up last is undone first. */
export function cleanUp(t: TestContext, undo: () => unknown): void {
  const known = stacks.get(t)
  if (known !== undefined) return void known.push(undo)
  const stack = [undo]
  stacks.set(t, stack)
  t.after(async () => {
    for (const task of stack.toReversed()) await task()
  })
}
