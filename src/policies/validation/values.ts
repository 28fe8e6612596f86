/** Values by name; without a prototype, as clients choose the names. */
export type Values = Record<string, unknown>

/** No values yet. */
export function empty(): Values {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library types it as any
  return Object.create(null) as Values
}
