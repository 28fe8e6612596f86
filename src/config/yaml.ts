import { dirname } from 'node:path'
import { type Document, isAlias, isNode, isPair, isScalar, isSeq, type Node, visit, type YAMLError } from 'yaml'
import { findUnquotedVariables, parseYaml } from './flow-variables.ts'
import { isMergeKey, mergedMaps } from './merge-keys.ts'
import { ConfigError, formatPath, type Path, type Problem, sortProblems } from './problems.ts'
import type { Source } from './source.ts'
import { readNamedFiles } from './named-files.ts'
import { ReadFiles } from './read-files.ts'
import { type Environment, type Substitution, substitute } from './substitute.ts'
import { positionAt, yamlSource } from './yaml-source.ts'

/** The value of a YAML text with variables substituted. */
export interface YamlConfig {
  readonly value: unknown
  readonly source: Source
  /** Problems that did not prevent the value from being read. */
  readonly problems: readonly Problem[]
}

/** A possible alias or merge key: most texts have none, and searching a large text takes long. */
const MAY_REFER = /(?:^|[\s[{,:])\*\S|<</

/** Reports a problem of a node; the ancestors are those that `visit` passes. */
type Report = (node: Node, ancestors: readonly unknown[], message: string) => void

/**
 * Reads a YAML text. Variables are substituted in its scalars after parsing, so that their values are never read as YAML. Files whose text
 * is inserted are recorded in `files`.
 * Throws ConfigError if the text is not valid YAML.
 */
export function readYaml(
  text: string,
  file: string,
  environment: Environment,
  files: ReadFiles = new ReadFiles(),
): YamlConfig {
  const { document, lines } = parseYaml(text)
  const { variables, errors } = findUnquotedVariables(text, document.errors)
  const syntax = [...errors, ...document.warnings]
  const problems = [
    ...variables.map(({ offset, text: unquoted }): Problem => {
      const message = `a variable in a flow map or list must be quoted: write ${JSON.stringify(unquoted)}`
      return { file, position: positionAt(offset, lines), path: '', message }
    }),
    ...syntax.map((error): Problem => {
      return { file, position: positionAt(error.pos[0], lines), path: '', message: syntaxMessage(error) }
    }),
  ]
  if (variables.length > 0) throw new ConfigError(sortProblems(problems))
  const report: Report = (node, ancestors, message) => {
    const path = formatPath(pathOf([...ancestors, node]))
    problems.push({ file, position: positionAt(node.range?.[0] ?? 0, lines), path, message })
  }
  if (MAY_REFER.test(text)) reportDangling(document, report)
  if (problems.length > syntax.filter(isDuplicateKey).length) throw new ConfigError(problems)

  const named = readNamedFiles(dirname(file), files)
  const substituted = putVariables(document, (scalar) => substitute(scalar, environment, named), report)
  try {
    const source = yamlSource(file, document, lines, substituted)
    return { value: document.toJS(), source, problems }
  } catch {
    // The only problem that is detected this late; the limit keeps a small text from becoming a huge value.
    throw new ConfigError([...problems, { file, path: '', message: 'invalid YAML: too many aliases' }])
  }
}

/**
 * The value of a YAML text as far as it is valid, with variables substituted where they are known. Undefined if there is none,
 * for example because an alias has no anchor.
 */
export function readValidPart(text: string, file: string, environment: Environment): unknown {
  const { document } = parseYaml(text)
  const named = readNamedFiles(dirname(file), new ReadFiles())
  putVariables(
    document,
    (scalar) => substitute(scalar, environment, named),
    () => {},
  )
  try {
    return document.toJS()
  } catch {
    return undefined
  }
}

function reportDangling(document: Document.Parsed, report: Report): void {
  visit(document, {
    Alias(_, alias, ancestors) {
      if (alias.resolve(document) === undefined)
        report(alias, ancestors, `invalid YAML: no anchor "&${alias.source}" exists before this alias`)
    },
    Pair(_, pair, ancestors) {
      const { value } = pair
      if (isAlias(value) && value.resolve(document) === undefined) return
      if (isMergeKey(pair.key) && isNode(value) && mergedMaps(pair, document) === null)
        report(value, [...ancestors, pair], 'expected an alias of a map such as "*defaults", a map, or a list of them')
    },
  })
}

/** Changes the scalars in place; returns the text that each had before. */
function putVariables(
  document: Document.Parsed,
  put: (text: string) => Substitution,
  report: Report,
): Map<Node, string> {
  const substituted = new Map<Node, string>()
  visit(document, {
    Scalar(key, scalar, ancestors) {
      if (key === 'key' && scalar.value === '__proto__') report(scalar, ancestors, 'a key cannot have this name')
      if (key === 'key' || typeof scalar.value !== 'string') return
      const { text, problems } = put(scalar.value)
      if (scalar.value.includes('${')) substituted.set(scalar, scalar.value)
      scalar.value = text
      for (const problem of problems) report(scalar, ancestors, problem)
    },
  })
  return substituted
}

function isDuplicateKey({ code }: YAMLError): boolean {
  return code === 'DUPLICATE_KEY'
}

function syntaxMessage(error: YAMLError): string {
  if (isDuplicateKey(error)) return 'the key is given twice in one map; expected it once'
  if (error.code === 'MULTIPLE_DOCS') return 'several YAML documents in one file; expected one'
  return `invalid YAML: ${error.message}`
}

/** The path of the last of some nodes, each the child of the one before it. */
function pathOf(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, i): Path => {
    if (isPair(node) && isScalar(node.key)) return [String(node.key.value)]
    return isSeq(node) ? [node.items.indexOf(nodes[i + 1])] : []
  })
}
