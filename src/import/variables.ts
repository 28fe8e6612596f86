import { escapeVariables } from '../core/escape-variables.ts'

/** Around the name of a variable in a text that was read; no text has these characters of its own then. */
const OPEN = '\uE000'
const CLOSE = '\uE001'
/** Padding for a variable whose notation was longer, so that all offsets stay valid. */
const PAD = '\uE002'
/** Precedes the default of a variable that is not set. */
const ELSE = '\uE003'

const MARKS = /[\uE000-\uE003]/g
const MARKED = /\uE000(\w+)(?:\uE003([^\uE000-\uE003]*))?\uE001/g
const WHOLE = /^\uE000(\w+)\uE001$/

/** decK: `${{ env "DECK_NAME" }}`, possibly with a conversion to a number or boolean. */
const DECK = /\$\{\{\s*env\s+\\?["'](\w+)\\?["']\s*(?:\|\s*\w+\s*)?\}\}/g
/** References to a vault, such as "{vault://env/name}". */
const VAULT = /\{vault:\/\/([^/{}]+)\/([^{}]+)\}/g
const BRACED = /\$\{([A-Za-z_]\w*)\}/g
/** The envsubst notation, only where it is unambiguous. */
const BARE = /^\$([A-Z][A-Z0-9_]*)$/
const BARE_IN_URL = /\$([A-Z][A-Z0-9_]*)/g

/** Marks what has to be marked before parsing, because decK's variables are not valid YAML. The length does not change. */
export function markBeforeParsing(text: string): string {
  return text
    .replaceAll(MARKS, '\uFFFD')
    .replaceAll(DECK, (whole, name: string) => mark(name).padEnd(whole.length, PAD))
}

/** Marks the variables in one value. */
export function markVariables(text: string): string {
  const marked = text
    .replaceAll(PAD, '')
    .replaceAll(VAULT, (_, vault: string, path: string) =>
      mark(variableName(vault === 'env' ? path : `${vault}/${path}`)),
    )
    .replaceAll(BRACED, (_, name: string) => mark(name))
  if (BARE.test(marked)) return mark(marked.slice(1))
  return /^https?:\/\//.test(marked) ? marked.replaceAll(BARE_IN_URL, (_, name: string) => mark(name)) : marked
}

/** A marked variable in a text, with its default. */
export function mark(name: string, otherwise?: string): string {
  return `${OPEN}${name}${otherwise === undefined ? '' : ELSE + otherwise}${CLOSE}`
}

/** Whether part of the text is a variable, so that its final value is unknown. */
export function hasVariable(text: string): boolean {
  return text.includes(OPEN)
}

/** The name of the variable that makes up the whole text; null for any other text. */
export function wholeVariable(text: string): string | null {
  return WHOLE.exec(text)?.[1] ?? null
}

/** The names of the variables in a text. */
export function variablesIn(text: string): string[] {
  return Array.from(text.matchAll(MARKED), ([, name = '']) => name)
}

/** The text in configuration syntax: variables as `${NAME}`, and all other dollar signs escaped. */
export function configText(text: string): string {
  return shownText(escapeVariables(text))
}

/** The text in human-readable form. */
export function shownText(text: string): string {
  return text.replaceAll(MARKED, (_, name: string, otherwise?: string) =>
    otherwise === undefined ? `\${${name}}` : `\${${name}:-${otherwise}}`,
  )
}

/** A valid variable name made from any text. */
export function variableName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase()
  return /^[A-Z]/.test(name) ? name : `X_${name}`
}
