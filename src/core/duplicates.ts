/** The values that occur earlier in the list, each as [its index, index of the first occurrence]. Takes linear time. */
export function duplicatesOf(values: readonly unknown[]): [at: number, first: number][] {
  const places = new Map<unknown, number>()
  return values.flatMap((value, i) => {
    const first = places.get(value)
    if (first === undefined) places.set(value, i)
    return first === undefined ? [] : [[i, first]]
  })
}
