/** Plain data as YAML, to read and to copy. */
export function yamlOf(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}[]\n`
    return value.map((item) => itemOf(item, indent)).join('')
  }
  if (typeof value !== 'object' || value === null) return `${indent}${scalarOf(value)}\n`
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  if (entries.length === 0) return `${indent}{}\n`
  return entries
    .map(([name, each]) => {
      const key = `${indent}${scalarOf(name)}:`
      if (isNested(each)) return `${key}\n${yamlOf(each, `${indent}  `)}`
      return `${key} ${flowOf(each)}\n`
    })
    .join('')
}

/** The same, but lists of plain values are on one line here too. */
export function blockOf(value: unknown): string {
  return isNested(value) ? yamlOf(value) : flowOf(value)
}

function itemOf(item: unknown, indent: string): string {
  if (!isNested(item)) return `${indent}- ${flowOf(item)}\n`
  const text = yamlOf(item, `${indent}  `)
  return `${indent}- ${text.slice(indent.length + 2)}`
}

/** Lists of plain values and empty values are written on one line. */
function isNested(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && item !== null)
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function flowOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(scalarOf).join(', ')}]`
  return typeof value === 'object' && value !== null ? '{}' : scalarOf(value)
}

/** Quoted if it would be read as another type. */
function scalarOf(value: unknown): string {
  if (typeof value !== 'string') return value === undefined ? 'null' : JSON.stringify(value)
  const plain =
    /^[A-Za-z0-9_./][A-Za-z0-9_./+@-]*$/.test(value) &&
    !/^(?:true|false|null|yes|no|on|off|~|[-+.\d][\d._eE+:-]*|0[xo][\da-fA-F]+)$/i.test(value)
  return plain ? value : JSON.stringify(value)
}
