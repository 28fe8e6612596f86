/**
 * A change that has been made ready. `commit` makes it, at once and without fail; `abandon` leaves everything as it was.
 * Exactly one of them is called, once.
 */
export interface Prepared {
  commit(): void
  abandon(): void
}

/**
 * Makes changes ready, one after the other, as one. Rejects with what the first one throws that cannot be made ready; those
 * before it are abandoned then.
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
