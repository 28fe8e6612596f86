/** To three digits behind the point: nobody wants more of a time. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
