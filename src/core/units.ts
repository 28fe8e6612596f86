import { z } from 'zod'
import { LONGEST_DELAY } from './clock.ts'

const DURATION = /^(\d+)(ms|s|m|h)$/
const PERCENT = /^\d+(?:\.\d+)?%$/
const SIZE = /^(\d+)(b|kb|mb|gb)$/

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** Milliseconds of a text such as "250ms", "10s", "5m" or "1h"; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const milliseconds = scale(DURATION.exec(text), MILLISECONDS)
  return milliseconds !== undefined && milliseconds <= LONGEST_DELAY ? milliseconds : undefined
}

/** Bytes of a text such as "512b", "64kb", "10mb" or "1gb", a kb being 1024 bytes; undefined for any other text. */
export function parseSize(text: string): number | undefined {
  const bytes = scale(SIZE.exec(text), BYTES)
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined
}

const durationExpected = 'expected a duration such as "250ms", "10s", "5m" or "1h", at most "596h"'
const aboveZeroExpected = `${durationExpected} and above 0`
const sizeExpected = 'expected a size above 0 such as "512b", "64kb", "10mb" or "1gb"'

/** Schema of a duration of 0 or more, written with its unit; milliseconds after parsing. */
export const durationOrZero = z
  .string(durationExpected)
  .regex(DURATION, durationExpected)
  .transform((text, context) => parseDuration(text) ?? fail(context, durationExpected))
  .meta({ examples: ['250ms', '10s', '5m', '1h', '0s'] })

/** Schema of a duration above 0, written with its unit; milliseconds after parsing. */
export const duration = z
  .string(aboveZeroExpected)
  .regex(DURATION, aboveZeroExpected)
  .transform((text, context) => parseDuration(text) || fail(context, aboveZeroExpected))
  .meta({ examples: ['250ms', '10s', '5m', '1h'] })

/** Schema of a size above 0, written with its unit; bytes after parsing. */
export const size = z
  .string(sizeExpected)
  .regex(SIZE, sizeExpected)
  .transform((text, context) => parseSize(text) || fail(context, sizeExpected))
  .meta({ examples: ['512b', '64kb', '10mb', '1gb'] })

/** Schema of a size from one to another, in bytes, with what is expected of it in words. */
export function sizeWithin(least: number, most: number, expected: string) {
  return z
    .string(sizeExpected)
    .regex(SIZE, sizeExpected)
    .transform((text, context) => {
      const bytes = parseSize(text) ?? 0
      return bytes >= least && bytes <= most ? bytes : fail(context, expected)
    })
}

const percentExpected = 'expected a percentage such as "50%", above 0% and at most 100%'

/** Schema of a part of a whole, written in percent; 0 to 1 after parsing. */
export const percent = z
  .string(percentExpected)
  .regex(PERCENT, percentExpected)
  .transform((text, context) => {
    const part = Number(text.slice(0, -1)) / 100
    return part > 0 && part <= 1 ? part : fail(context, percentExpected)
  })
  .meta({ examples: ['50%', '0.5%'] })

function scale(match: RegExpExecArray | null, units: Readonly<Record<string, number>>): number | undefined {
  const factor = units[match?.[2] ?? '']
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor
}

function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
