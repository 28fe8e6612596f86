import type { CommandFacts } from '../command-tree.ts'

/** A word as shells take it literally, in quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Where a command is, as the scripts write it: "" for the program, "/keys/create" for a command below another. */
export function placeOf({ path }: CommandFacts): string {
  return path.map((name) => `/${name}`).join('')
}

/** Branches of a `case` that find out which command is meant, word by word. */
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
