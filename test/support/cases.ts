/** A multiple of the usual number of cases, set by `npm run test:slow` and `npm run soak:http2`. */
const factor = Number(process.env['SALLYPORT_TEST_CASES'] ?? '1')

/** The number of cases of a property: the usual one in `npm test`, and more in longer runs. */
export function cases(usual: number): number {
  return Math.ceil(usual * factor)
}
