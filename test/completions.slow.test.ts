import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { temporaryFile } from './support/command.ts'
import { runHere } from './support/run-here.ts'

const execute = promisify(execFile)

/** The completions that a shell offers for the words, of which the last one is being typed. */
const shells: Readonly<Record<string, (file: string, words: readonly string[]) => Promise<string[]>>> = {
  async bash(file, words) {
    const program =
      'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sallyport; printf "%s\\n" "${COMPREPLY[@]}"'
    return linesOf(await execute('bash', ['--norc', '-c', program, file, ...words]))
  },
  async zsh(file, words) {
    // What zsh's completion would show, with files as one word.
    const system = `
      compdef() {}
      _files() { print -l FILES }
      _describe() { local list=\${@[-1]}; print -l -- \${\${(P@)list}%%:*} }
    `
    const program = `${system}; source "$0"; words=("$@"); CURRENT=$#; PREFIX=\${@[-1]}; _sallyport`
    const offered = linesOf(await execute('zsh', ['-f', '-c', program, file, ...words]))
    return offered.filter((word) => word === 'FILES' || word.startsWith(words.at(-1) ?? ''))
  },
  async fish(file, words) {
    const folder = dirname(file)
    const program = 'source $argv[1]; cd $argv[2]; complete -C "$argv[3]"'
    const asked = ['--no-config', '-c', program, file, folder, words.join(' ')]
    const lines = linesOf(await execute('fish', asked, { env: { ...process.env, HOME: folder } }))
    return lines.map((line) => (line.split('\t')[0] === 'script' ? 'FILES' : line.split('\t')[0]!))
  },
}

function linesOf({ stdout }: { readonly stdout: string }): string[] {
  return stdout.split('\n').filter((line) => line !== '')
}

for (const [shell, offers] of Object.entries(shells))
  test(`${shell} completes commands, subcommands, options and values`, async (t) => {
    const made = await runHere(['completions', shell])
    assert.deepEqual([made.code, made.stderr], [0, ''])
    const file = await temporaryFile(t, 'script', made.stdout)
    const offered = async (...words: string[]) => (await offers(file, ['sallyport', ...words])).sort()
    assert.deepEqual(await offered('ch'), ['check'])
    assert.deepEqual(await offered('keys', ''), ['create', 'list', 'revoke', 'rotate'])
    assert.deepEqual(await offered('keys', 'create', '--e'), ['--expires'])
    assert.deepEqual(await offered('completions', ''), ['bash', 'fish', 'zsh'])
    assert.ok((await offered('--v')).includes('--version'))
    assert.ok((await offered('check', '--')).includes('--strict'))
    // Bash offers files if the script offers nothing.
    assert.deepEqual(await offered('start', '--config', ''), shell === 'bash' ? [] : ['FILES'])
  })

test('an unknown shell is rejected with the list of known ones', async () => {
  const { code, stdout, stderr } = await runHere(['completions', 'tcsh'])
  assert.deepEqual([code, stdout], [64, ''])
  assert.match(stderr, /'tcsh' is invalid for argument 'shell'\. Allowed choices are bash, zsh, fish\./)
})
