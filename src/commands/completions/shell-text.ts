import type { CommandFacts } from '../command-tree.ts'

/** A quoted word that shells take literally. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** The place of a command in the scripts: "" for the program, "/keys/create" for a subcommand. */
export function placeOf({ path }: CommandFacts): string {
  return path.map((name) => `/${name}`).join('')
}

/** Branches of a `case` that determine the command word by word. */
export function placeCases(all: readonly CommandFacts[], indent: string): string {
  return all
    .filter(({ children }) => children.length > 0)
    .map((facts) => {
      const words = facts.children.map((child) => placeOf(child)).join('|')
      return `${indent}${words}) place=$place/$word ;;`
    })
    .join('\n')
}

/** Every option that takes a value, as the branches of a `case` over "place option". */
export function valueCases(all: readonly CommandFacts[]): string {
  return all
    .flatMap((facts) =>
      facts.options
        .filter(({ takesValue }) => takesValue)
        .flatMap(({ short, long }) => [short, long])
        .filter((name) => name !== null)
        .map((name) => quoted(`${placeOf(facts)} ${name}`)),
    )
    .join('|')
}
