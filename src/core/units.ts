import { z } from 'zod'
import { typedSchema } from './typed-schema.ts'
import { type Unit, writtenIn } from './unit.ts'

const { _default: withDefault } = z

const DURATION = /^(\d+)(ms|s|m|h|d)$/
const PERCENT = /^\d+(?:\.\d+)?%$/
const SIZE = /^(\d+)(b|kb|mb|gb)$/

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Ten years; whoever writes more has probably mistaken the unit. */
const MAX_DURATION = 3650 * 86_400_000
const BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** A duration with its unit, such as "250ms", "10s", "5m", "1h" or "7d". */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** A size with its unit, such as "512b", "64kb", "10mb" or "1gb", a kb being 1024 bytes. */
export type Size = `${number}${'b' | 'kb' | 'mb' | 'gb'}`

/** A percentage, such as "50%". */
export type Percentage = `${number}%`

/** Schema of a number written with its unit. */
export interface UnitText<Text extends string> extends z.ZodPipe<
  z.ZodType<string, Text>,
  z.ZodTransform<number, string>
> {
  /** Sets the default for an omitted value: either written with its unit, or in parsed form. Throws a ZodError for anything else. */
  default(make: () => Text | number): z.ZodDefault<this>
  default(value: Text | number): z.ZodDefault<this>
}

/** Parses a text such as "250ms", "10s", "5m", "1h" or "7d" to milliseconds; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const milliseconds = scale(DURATION.exec(text), MILLISECONDS)
  return milliseconds !== undefined && milliseconds <= MAX_DURATION ? milliseconds : undefined
}

/** Parses a text such as "512b", "64kb", "10mb" or "1gb" to bytes, 1 kb being 1024 bytes; undefined for any other text. */
export function parseSize(text: string): number | undefined {
  const bytes = scale(SIZE.exec(text), BYTES)
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined
}

const durationExpected = 'expected a duration such as "250ms", "10s", "5m", "1h" or "7d", at most "3650d"'
const aboveZeroExpected = `${durationExpected} and above 0`
const sizeExpected = 'expected a size above 0 such as "512b", "64kb", "10mb" or "1gb"'
const percentExpected = 'expected a percentage such as "50%", above 0% and at most 100%'

const durations = ['250ms', '10s', '5m', '1h', '7d'] as const
const sizes = ['512b', '64kb', '10mb', '1gb'] as const

/** Schema of a duration of 0 or more, written with its unit; milliseconds after parsing. */
export const durationOrZero = unitText<Duration>('milliseconds', DURATION, durationExpected, parseDuration, [
  ...durations,
  '0s',
])

/** Schema of a duration above 0, written with its unit; milliseconds after parsing. */
export const duration = unitText<Duration>(
  'milliseconds',
  DURATION,
  aboveZeroExpected,
  (text) => parseDuration(text) || undefined,
  [...durations],
)

/** Schema of a size above 0, written with its unit; bytes after parsing. */
export const size = unitText<Size>('bytes', SIZE, sizeExpected, (text) => parseSize(text) || undefined, [...sizes])

/** Schema of a size in the given range, in bytes; `expected` describes it in words. */
export function sizeWithin(min: number, max: number, expected: string): UnitText<Size> {
  const isWithin = (text: string): boolean => {
    const bytes = parseSize(text) ?? 0
    return bytes >= min && bytes <= max
  }
  const examples = sizes.filter(isWithin)
  return unitText<Size>(
    'bytes',
    SIZE,
    sizeExpected,
    (text) => (isWithin(text) ? parseSize(text) : undefined),
    examples,
    expected,
  )
}

/** Schema of a percentage; a number from 0 to 1 after parsing. */
export const percent = unitText<Percentage>(
  'percent',
  PERCENT,
  percentExpected,
  (text) => {
    const part = Number(text.slice(0, -1)) / 100
    return part > 0 && part <= 1 ? part : undefined
  },
  ['50%', '0.5%'],
)

/**
 * Schema of texts that match a pattern. `parse` returns undefined for matching texts that are invalid nevertheless; `unfit` is the message
 * for those.
 */
function unitText<Text extends string>(
  unit: Unit,
  form: RegExp,
  expected: string,
  parse: (text: string) => number | undefined,
  examples: readonly Text[],
  unfit = expected,
): UnitText<Text> {
  const Schema = z.core.$constructor<UnitText<Text>, z.core.$ZodPipeDef>('UnitText', (schema, def) => {
    z.ZodPipe.init(schema, def)
    const read = (value: Text | number): number => (typeof value === 'number' ? value : schema.parse(value))
    schema.default = (value: Text | number | (() => Text | number)) =>
      typeof value === 'function'
        ? withDefault(schema, () => read(value()))
        : withDefault(schema, read(value)).meta({ default: value })
  })
  const schema = new Schema({
    type: 'pipe',
    in: typedSchema<string, Text>(z.string(expected).regex(form, expected)),
    out: z.transform((text: string, context) => {
      const value = parse(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: unfit })
      return z.NEVER
    }),
  })
  return writtenIn(unit, schema).meta({ examples })
}

function scale(match: RegExpExecArray | null, units: Readonly<Record<string, number>>): number | undefined {
  const factor = units[match?.[2] ?? '']
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor
}
