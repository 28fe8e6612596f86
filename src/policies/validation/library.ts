import { createRequire } from 'node:module'
import type * as Ajv from 'ajv/dist/2020.js'
import type * as Formats from 'ajv-formats/dist/formats.js'

const require = createRequire(import.meta.url)

/** The validator, loaded when there is a schema: it takes 40 ms of the start of each thread. */
export function validator(): typeof Ajv.Ajv2020 {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return (require('ajv/dist/2020.js') as typeof Ajv).Ajv2020
}

/** Of the formats, those that are tested in time linear in the text. Others are annotations. */
export function linearFormats(): Partial<Formats.DefinedFormats> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  const library = require('ajv-formats/dist/formats.js') as typeof Formats
  const { url: _url, regex: _regex, ...formats } = library.fullFormats
  return formats
}
