/** The values that were in the list before, each as [its index, the index where it is first], in time linear in the list. */
export function repeatsOf(values: readonly unknown[]): [at: number, first: number][] {
  const places = new Map<unknown, number>()
  return values.flatMap((value, i) => {
    const first = places.get(value)
    if (first === undefined) places.set(value, i)
    return first === undefined ? [] : [[i, first]]
  })
}
