/**
 * Labels in the form that both formats use between the braces: `method="GET",status="200"`. They are always in the order of `names`, so
 * equal labels have equal texts.
 */
export function formatLabels(names: readonly string[], labels: Readonly<Record<string, string>>): string {
  return names.map((name) => `${name}="${escape(labels[name] ?? '')}"`).join(',')
}

const SPECIAL = /[\\"\n]/

function escape(value: string): string {
  if (!SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

const PAIR = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Parses labels written by `formatLabels`, by name. */
export function parseLabels(text: string): Map<string, string> {
  return new Map(Array.from(text.matchAll(PAIR), ([, name = '', value = '']) => [name, unescaped(value)]))
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}
