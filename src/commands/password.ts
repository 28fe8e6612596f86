import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { digestOf, MAX_PASSWORD_LENGTH } from '../core/password-digest.ts'
import { addExamples, CommandError } from './command.ts'

/**
 * `sallyport password`: writes the digest of a password to the standard output. The password is never an argument, where others would see
 * it.
 */
export function definePassword(command: Command): void {
  command
    .description('Hashes a password for the configuration. Asks for the password, or reads it from standard input.')
    .action(async () => {
      console.log(await digestOf(await readPassword()))
    })
  addExamples(command, [
    ['sallyport password', 'asks for it twice, without showing it'],
    ['sallyport password < password.txt', 'reads it from a file'],
  ])
}

async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return checked((await text(process.stdin)).replace(/\r?\n$/, ''))
  const first = checked(await ask('Password: '))
  if ((await ask('Repeat the password: ')) !== first) throw new CommandError('The passwords do not match.')
  return first
}

function checked(password: string): string {
  if (password === '') throw new CommandError('The password is empty.')
  if (password.length > MAX_PASSWORD_LENGTH)
    throw new CommandError(
      `The password has ${password.length} characters; the console accepts at most ${MAX_PASSWORD_LENGTH}.`,
    )
  // RFC 7617 section 2: no client could send it.
  if (/\p{Cc}/u.test(password))
    throw new CommandError('The password contains a line break or another control character.')
  return password
}

/** Typed characters are not echoed. */
function ask(prompt: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  process.stderr.write(prompt)
  terminal.once('line', resolve)
  terminal.once('close', () => reject(new CommandError('No password was given.')))
  return promise.finally(() => {
    terminal.close()
    process.stderr.write('\n')
  })
}
