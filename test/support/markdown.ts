import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** A code block in a document. */
export interface CodeBlock {
  /** The document, relative to the root of the project, and the line where the code begins. */
  readonly document: string
  readonly line: number
  /** The info string of the fence; null for a block that is only indented. */
  readonly language: string | null
  readonly code: string
  /** Why it is not run, from a comment above it: `<!-- not run: … -->`; null if it is run. */
  readonly notRun: string | null
  /** The file that it contains, from a comment above it: `<!-- file: … -->`. */
  readonly file: string | null
}

/** Every document for users and contributors, except decision records, which describe the time when they were made. */
const documents: readonly string[] = globSync(['*.md', 'docs/*.md', '{bench,deploy,examples}/**/*.md'], {
  cwd: root,
  // The packages of the peers, once they are installed.
  exclude: ['**/node_modules/**'],
}).toSorted()

/** All code blocks of these documents. */
export function codeBlocks(): CodeBlock[] {
  return documents.flatMap((document) => blocksOf(document, readFileSync(join(root, document), 'utf8')))
}

/** The blocks of one document, fenced or indented by four spaces. */
export function blocksOf(document: string, text: string): CodeBlock[] {
  const lines = text.split('\n')
  const blocks: CodeBlock[] = []
  for (let i = 0; i < lines.length; i++) {
    const [, indent, fence, language = ''] = /^( *)(`{3,})(\S*)/.exec(lines[i] ?? '') ?? []
    const start = fence === undefined ? i : i + 1
    if (fence === undefined && !(isIndented(lines[i]) && lines[i - 1]?.trim() === '')) continue
    const isOver = (line: string): boolean =>
      fence === undefined ? !isIndented(line) && line !== '' : line.trim() === fence
    const length = lines.slice(start).findIndex(isOver)
    const end = length === -1 ? lines.length : start + length
    const code = lines.slice(start, end).map((line) => line.replace(fence === undefined ? / {4}/ : (indent ?? ''), ''))
    const notes = notesAbove(lines, i)
    blocks.push({
      document,
      line: start + 1,
      language: fence === undefined ? null : language,
      code: code.join('\n').trimEnd(),
      ...notes,
    })
    i = end
  }
  return blocks
}

function isIndented(line: string | undefined): boolean {
  return line?.startsWith('    ') === true && line.trim() !== ''
}

/** From comments directly above, each on a line of its own. */
function notesAbove(lines: readonly string[], at: number): Pick<CodeBlock, 'notRun' | 'file'> {
  const notes = { notRun: null as string | null, file: null as string | null }
  for (let i = at - 1; i >= 0; i--) {
    const line = lines[i]?.trim() ?? ''
    const [, kind, what = ''] = /^<!-- (not run|file): (.+) -->$/.exec(line) ?? []
    if (kind === 'not run') notes.notRun = what
    if (kind === 'file') notes.file = what
    if (kind === undefined && line !== '') break
  }
  return notes
}
