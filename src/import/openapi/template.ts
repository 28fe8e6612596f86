import { parsePattern, PatternError } from '../../routing/pattern.ts'

/** A path of a document, in the form of a route. */
export interface ImportedTemplate {
  readonly pattern: string
  /** Set if a parameter is only part of a segment. */
  readonly pathRegex: string | null
}

const PARAMETER = /\{([^{}]+)\}/g

/** Translates a path template of a document below a base path; null if it is not a path. */
export function importTemplate(template: string, base: string): ImportedTemplate | null {
  if (!template.startsWith('/')) return null
  const names = new Set<string>()
  const unique = (wanted: string): string => {
    const plain = wanted
      .replaceAll(/\W+/g, '_')
      .replaceAll(/^_+(?=\w)|(?<=\w)_+$/g, '')
      .replace(/^(?=\d)/, '_')
    const wellNamed = plain === '' || plain === '__proto__' ? 'p' : plain
    let name = wellNamed
    for (let i = 2; names.has(name); i++) name = `${wellNamed}_${i}`
    names.add(name)
    return name
  }
  let isWhole = true
  const segments = template.split('/').map((segment) => {
    if (!segment.includes('{')) return segment
    const whole = /^\{([^{}]+)\}$/.exec(segment)?.[1]
    if (whole !== undefined) return `{${unique(whole)}}`
    isWhole = false
    return `{${unique(segment)}}`
  })
  const pattern = `${base}${segments.join('/')}`
  try {
    const { text } = parsePattern(pattern)
    return { pattern: text, pathRegex: isWhole ? null : regexOf(`${base}${template}`) }
  } catch (error) {
    if (error instanceof PatternError) return null
    throw error
  }
}

function regexOf(template: string): string {
  let regex = ''
  let at = 0
  for (const match of template.matchAll(PARAMETER)) {
    regex += `${literal(template.slice(at, match.index))}[^/]+`
    at = match.index + match[0].length
  }
  return regex + literal(template.slice(at))
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`)
}
