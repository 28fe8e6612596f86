/**
 * A prepared change. `commit` applies it, immediately and without failing; `abandon` discards it and leaves everything unchanged. Exactly
 * one of them is called, once.
 */
export interface Prepared {
  commit(): void
  abandon(): void
}

/**
 * Prepares changes in order, as a single change. If one fails to prepare, the earlier ones are abandoned and the promise rejects with its
 * error.
 */
export async function prepareAll(changes: readonly (() => Prepared | Promise<Prepared>)[]): Promise<Prepared> {
  const ready: Prepared[] = []
  const abandon = (): void => {
    for (const change of ready.toReversed()) change.abandon()
  }
  try {
    for (const change of changes) ready.push(await change())
  } catch (error) {
    abandon()
    throw error
  }
  return {
    commit() {
      for (const change of ready) change.commit()
    },
    abandon,
  }
}
