import { isToken } from '../../../core/field.ts'
import { hasVariable } from '../../variables.ts'

const MEMBER = /^(headers|query_params|uri_captures)(?:\.([A-Za-z_][\w-]*)|\[["']([^"'\]]+)["']\])$/

/**
 * Translates a template of Kong's transformers, such as "Bearer $(headers.x-token)"; null if it contains a Lua expression that calculates
 * something. `parameter` returns the notation of a path parameter.
 */
export function importTemplate(
  text: string,
  parameter: (name: string) => string = (name) => `{path.${name}}`,
): string | null {
  let result = ''
  let at = 0
  for (let start = text.indexOf('$('); start !== -1; start = text.indexOf('$(', at)) {
    const end = closingOf(text, start + 1)
    const placeholder = end === -1 ? null : placeholderOf(text.slice(start + 2, end).trim(), parameter)
    if (placeholder === null) return null
    result += literal(text.slice(at, start)) + placeholder
    at = end + 1
  }
  return result + literal(text.slice(at))
}

/** Where the bracket at a position is closed; -1 if it is not. */
function closingOf(text: string, open: number): number {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    if (text.charAt(i) === '(') depth++
    if (text.charAt(i) === ')' && --depth === 0) return i
  }
  return -1
}

function placeholderOf(expression: string, parameter: (name: string) => string): string | null {
  const [, family, plain, quoted] = MEMBER.exec(expression) ?? []
  const name = plain ?? quoted ?? ''
  if (family === 'headers') return isToken(name) ? `{header.${name}}` : null
  if (family === 'query_params') return /^[^{}]+$/.test(name) ? `{query.${name}}` : null
  return family === 'uri_captures' && /^[A-Za-z_]\w*$/.test(name) ? parameter(name) : null
}

/** A brace marks a placeholder here. */
function literal(text: string): string {
  return text.replaceAll(/[{}]/g, '$&$&')
}

/** Whether a template may be used in a header. */
export function isFieldTemplate(text: string): boolean {
  return /^[\x20-\x7e\uE000\uE001]*$/.test(text) && (hasVariable(text) || text.trim() === text)
}
