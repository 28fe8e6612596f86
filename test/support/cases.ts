/** How many times as many cases as usual: `npm run test:slow` and `npm run soak:http2` say so. */
const factor = Number(process.env['SALLYPORT_TEST_CASES'] ?? '1')

/** The number of cases of a property: so many in `npm test`, and more where there is time. */
export function cases(usual: number): number {
  return Math.ceil(usual * factor)
}
