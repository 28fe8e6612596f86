import { createRequire } from 'node:module'
import type * as PinoPretty from 'pino-pretty'

const require = createRequire(import.meta.url)

/** Makes lines for people of lines of JSON. The library is loaded where that is asked for, as services log JSON. */
export function createPretty(colorize: boolean): (line: string) => string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  const { prettyFactory } = require('pino-pretty') as typeof PinoPretty
  return prettyFactory({ messageKey: 'message', timestampKey: 'timestamp', singleLine: true, colorize })
}
