import { stringify } from 'yaml'

/** The last sentence, if it is about the default; a dot within a word does not end it. */
const DEFAULT = / ?\bDefault:? ((?:[^.]|\.(?! |$))+)\.$/

/** A description as Markdown, with everything escaped except code. */
export function proseOf(description: unknown): string {
  const parts = (typeof description === 'string' ? description : '').split(/(`[^`]*`)/)
  return parts.map((part, i) => (i % 2 === 1 ? part : part.replaceAll(/[|*<>[\]_{}]/g, '\\$&'))).join('')
}

/** A description, and its statement of the default; null if it has none. */
export function partsOf(description: unknown): { readonly meaning: string; readonly byDefault: string | null } {
  const text = typeof description === 'string' ? description : ''
  const said = DEFAULT.exec(text)
  return said === null
    ? { meaning: text, byDefault: null }
    : { meaning: text.slice(0, said.index), byDefault: said[1] ?? null }
}

/** A value as one line of YAML. */
export function inLine(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trimEnd()
}

/** Code in a table cell. */
export function codeOf(text: string): string {
  const code = text.replaceAll('|', '\\|')
  return text.includes('`') ? `\`\` ${code} \`\`` : `\`${code}\``
}

/** `a`, `a or b`, `a, b or c`. */
export function anyOf(texts: readonly string[]): string {
  const all = [...new Set(texts)]
  const last = all.pop() ?? ''
  return all.length === 0 ? last : `${all.join(', ')} or ${last}`
}
