import type { CommandFacts } from '../command-tree.ts'
import { placeCases, placeOf, quoted, valueCases } from './shell-text.ts'

/** Works with bash 3.2 and later; Macs have 3.2. If nothing is offered, bash offers files. */
export function bashCompletions(all: readonly CommandFacts[]): string {
  const branches = all.map((facts) => {
    const options = facts.options.flatMap(({ short, long }) => (short === null ? [long] : [short, long]))
    const words = [...facts.children.map(({ path }) => path.at(-1)), ...facts.choices]
    return `    ${quoted(placeOf(facts))}) options=${quoted(options.join(' '))} words=${quoted(words.join(' '))} ;;`
  })
  return `# Completes sallyport in bash: eval "$(sallyport completions bash)"
_sallyport() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} place='' word options='' words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$place/$word" in
${placeCases(all, '      ')}
    esac
  done
  case "$place $before" in
    ${valueCases(all)}) return ;;
  esac
  case "$place" in
${branches.join('\n')}
  esac
  case "$current" in
    -*) words=$options ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _sallyport sallyport
`
}
