import type { CommandFacts } from '../command-tree.ts'
import { placeCases, placeOf, quoted, valueCases } from './shell-text.ts'

/** Shows the description of each command and option. */
export function zshCompletions(all: readonly CommandFacts[]): string {
  const branches = all.map((facts) => {
    const options = facts.options.flatMap(({ short, long, description }) =>
      [short, long].filter((name) => name !== null).map((name) => entry(name, description)),
    )
    const commands = [
      ...facts.children.map(({ path, summary }) => entry(path.at(-1) ?? '', summary)),
      ...facts.choices.map(quoted),
    ]
    return `    ${quoted(placeOf(facts))}) options=(${options.join(' ')}) commands=(${commands.join(' ')}) ;;`
  })
  return `#compdef sallyport
# Completes sallyport in zsh: eval "$(sallyport completions zsh)", after compinit
_sallyport() {
  local place='' word before=$words[CURRENT-1]
  local -a options commands
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case "$place/$word" in
${placeCases(all, '      ')}
    esac
  done
  case "$place $before" in
    ${valueCases(all)}) _files; return ;;
  esac
  case "$place" in
${branches.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
  elif (( $#commands )); then
    _describe command commands
  else
    _files
  fi
}
if [[ $funcstack[1] == _sallyport ]]; then
  _sallyport "$@"
else
  compdef _sallyport sallyport
fi
`
}

/** "name:description"; a colon in the name is escaped, because it would end the name. */
function entry(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', String.raw`\:`)}:${description}`)
}
