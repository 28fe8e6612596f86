/** How many times as many cases as usual: `npm run soak:http2` says so. */
const factor = Number(process.env['SALLYPORT_TEST_CASES'] ?? '1')

/** The number of cases of a property: so many in a run of all tests, more of them in a soak. */
export function cases(usual: number): number {
  return Math.ceil(usual * factor)
}
