import { LineCounter, parseDocument, type YAMLError } from 'yaml'

/** An unquoted variable in a flow map or list, where YAML takes its brace for the start of a map. */
export interface UnquotedVariable {
  /** Offset of the text that needs quotes. */
  readonly offset: number
  /** Everything that belongs inside the quotes. */
  readonly text: string
}

/** The maximum number of variables to look for. */
const MAX = 100

/** Parses a text the way the configuration is parsed. */
export function parseYaml(text: string) {
  const lines = new LineCounter()
  return {
    lines,
    document: parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: true }),
  }
}

/**
 * Finds the unquoted variables that make a text invalid YAML, and the errors that remain without them; otherwise, the errors that one of
 * them causes in the rest of its line would be reported as well.
 */
export function findUnquotedVariables(text: string, errors: readonly YAMLError[]) {
  const variables: UnquotedVariable[] = []
  let quoted = text
  let left = errors
  while (variables.length < MAX) {
    const error = left.find(({ pos: [at] }) => quoted.startsWith('${', at - 1))
    if (error === undefined) break
    const at = error.pos[0] - 1
    const brace = quoted.indexOf('}', at)
    const end = brace === -1 ? at + 2 : brace + 1
    const offset = quoted.slice(0, at).search(/[^\s,[\]{}'"]*$/)
    // It may contain further variables.
    const [rest = ''] = /^(?:\$\{[^}]*\}|[^\s,[\]{}'"])*/.exec(quoted.slice(end)) ?? []
    const stop = end + rest.length
    variables.push({ offset, text: text.slice(offset, stop) })
    // The replacement has the same length, so that all offsets stay valid.
    quoted = quoted.slice(0, at) + quoted.slice(at, stop).replaceAll(/[^\n]/g, '_') + quoted.slice(stop)
    left = parseYaml(quoted).document.errors
  }
  return { variables, errors: left }
}
