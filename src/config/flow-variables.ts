import { LineCounter, parseDocument, type YAMLError } from 'yaml'

/** A variable that is not quoted in a flow map or list, where YAML takes its brace for the beginning of a map. */
export interface UnquotedVariable {
  /** Of the text that is to be quoted. */
  readonly offset: number
  /** All that belongs between the quotes. */
  readonly text: string
}

/** So many of them are looked for. */
const MOST = 100

/** Parses a text as the configuration is. */
export function parseYaml(text: string) {
  const lines = new LineCounter()
  return {
    lines,
    document: parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: true }),
  }
}

/**
 * Finds the unquoted variables of a text that is no YAML for them, and the errors that it has without them: what one of
 * them does to the rest of its line would be told as well otherwise.
 */
export function findUnquotedVariables(text: string, errors: readonly YAMLError[]) {
  const variables: UnquotedVariable[] = []
  let mended = text
  let left = errors
  while (variables.length < MOST) {
    const error = left.find(({ pos: [at] }) => mended.startsWith('${', at - 1))
    if (error === undefined) break
    const at = error.pos[0] - 1
    const brace = mended.indexOf('}', at)
    const end = brace === -1 ? at + 2 : brace + 1
    const offset = mended.slice(0, at).search(/[^\s,[\]{}'"]*$/)
    // There may be more of them in it.
    const [rest = ''] = /^(?:\$\{[^}]*\}|[^\s,[\]{}'"])*/.exec(mended.slice(end)) ?? []
    const stop = end + rest.length
    variables.push({ offset, text: text.slice(offset, stop) })
    // As long as it was, so that every place stays what it is.
    mended = mended.slice(0, at) + mended.slice(at, stop).replaceAll(/[^\n]/g, '_') + mended.slice(stop)
    left = parseYaml(mended).document.errors
  }
  return { variables, errors: left }
}
