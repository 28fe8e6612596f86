/**
 * Labels as both formats write them between the braces: `method="GET",status="200"`. Always in the order of `names`, so
 * that the same labels make the same text.
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

/** Labels as `formatLabels` has written them, by their names. */
export function parseLabels(text: string): Map<string, string> {
  return new Map(Array.from(text.matchAll(PAIR), ([, name = '', value = '']) => [name, unescaped(value)]))
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}
