/** A decimal number, as in JSON: `digits` times ten to the power of `exponent`. */
interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

/** Below this limit, a number scaled to an integer is exact to the last digit. */
const EXACT = 5e14
/** Powers of ten up to this one are exact as numbers. */
const EXACT_POWER = 22

/**
 * Compiles `multipleOf` (JSON Schema validation 2020-12 section 6.2.1) into a test with exact decimal arithmetic: 4.35 is a
 * multiple of 0.01, although 4.35 / 0.01 is not an integer in binary. It takes the same time for every number, including 1e308 and
 * 5e-324. `divisor` is finite and above 0.
 */
export function compileMultipleOf(divisor: number): (value: number) => boolean {
  const { digits, exponent } = decimalOf(divisor)
  const places = Math.max(0, -exponent)
  const scale = places <= EXACT_POWER ? 10 ** places : 0
  const scaled = Math.round(divisor * scale)
  const isPlain = scale > 0 && scaled < EXACT && scaled / scale === divisor
  /** Remainders of powers of ten; there are no more of them than numbers have exponents. */
  let last = 1n % digits
  const remainders = [last]

  function remainderOf(power: number): bigint {
    while (remainders.length <= power) {
      last = (last * 10n) % digits
      remainders.push(last)
    }
    return remainders[power] ?? last
  }

  return (value) => {
    if (!Number.isFinite(value)) return false
    const whole = Math.round(value * scale)
    // At this size, a number stands for only one decimal with that many places.
    if (isPlain && Math.abs(whole) < EXACT) return whole / scale === value && whole % scaled === 0
    const number = decimalOf(value)
    if (number.digits === 0n) return true
    const power = number.exponent - exponent
    // A number with more places ends in a non-zero digit, so it is not divisible by a power of ten.
    return power >= 0 && (number.digits * remainderOf(power)) % digits === 0n
  }
}

/** The shortest decimal that stands for the number, which is how it is written in JSON (ECMA-262 section 6.1.6.1.20). */
function decimalOf(value: number): Decimal {
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}
