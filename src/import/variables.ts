/** Around the name of a variable in a text that was read; no text has these characters of its own then. */
const OPEN = '\uE000'
const CLOSE = '\uE001'
/** In place of what a variable was longer, so that every place stays what it is. */
const PAD = '\uE002'
/** Before what stands in for a variable that is not set. */
const ELSE = '\uE003'

const MARKS = /[\uE000-\uE003]/g
const MARKED = /\uE000(\w+)(?:\uE003([^\uE000-\uE003]*))?\uE001/g
const WHOLE = /^\uE000(\w+)\uE001$/

/** decK: `${{ env "DECK_NAME" }}`, also with what makes a number or a truth value of it. */
const DECK = /\$\{\{\s*env\s+\\?["'](\w+)\\?["']\s*(?:\|\s*\w+\s*)?\}\}/g
/** References to a vault, such as "{vault://env/name}". */
const VAULT = /\{vault:\/\/([^/{}]+)\/([^{}]+)\}/g
const BRACED = /\$\{([A-Za-z_]\w*)\}/g
/** As envsubst has it; only where nothing else can be meant. */
const BARE = /^\$([A-Z][A-Z0-9_]*)$/
const BARE_IN_URL = /\$([A-Z][A-Z0-9_]*)/g

/** Marks what has to be marked before a text is parsed: decK's variables are none in YAML. As long as the text. */
export function markBeforeParsing(text: string): string {
  return text
    .replaceAll(MARKS, '\uFFFD')
    .replaceAll(DECK, (whole, name: string) => mark(name).padEnd(whole.length, PAD))
}

/** Marks the variables of one value. */
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

/** A variable as it stands in a text, with what stands in for it where it is not set. */
export function mark(name: string, otherwise?: string): string {
  return `${OPEN}${name}${otherwise === undefined ? '' : ELSE + otherwise}${CLOSE}`
}

/** Whether some of the text is a variable, so that nobody knows how it reads. */
export function hasVariable(text: string): boolean {
  return text.includes(OPEN)
}

/** The name of the variable that is all of the text; null for any other text. */
export function wholeVariable(text: string): string | null {
  return WHOLE.exec(text)?.[1] ?? null
}

/** The names of the variables in a text. */
export function variablesIn(text: string): string[] {
  return Array.from(text.matchAll(MARKED), ([, name = '']) => name)
}

/** A value of the configuration: variables as `${NAME}`, and every other dollar sign for itself. */
export function configText(text: string): string {
  return shownText(text.replaceAll(/\$(?=[${])/g, '$$$$'))
}

/** The same for people. */
export function shownText(text: string): string {
  return text.replaceAll(MARKED, (_, name: string, otherwise?: string) =>
    otherwise === undefined ? `\${${name}}` : `\${${name}:-${otherwise}}`,
  )
}

/** A name for a variable, made of any text. */
export function variableName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase()
  return /^[A-Z]/.test(name) ? name : `X_${name}`
}
