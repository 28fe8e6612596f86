import { createRequire } from 'node:module'
import type * as Ajv from 'ajv/dist/2020.js'
import type * as Formats from 'ajv-formats/dist/formats.js'

const require = createRequire(import.meta.url)

/** The validator, loaded only if there is a schema: it takes 40 ms of the start of each thread. */
export function validator(): typeof Ajv.Ajv2020 {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return (require('ajv/dist/2020.js') as typeof Ajv).Ajv2020
}

/** The formats that can be checked in linear time. The others are only annotations. */
export function linearFormats(): Partial<Formats.DefinedFormats> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  const library = require('ajv-formats/dist/formats.js') as typeof Formats
  const { url: _url, regex: _regex, ...formats } = library.fullFormats
  return formats
}
