/** The oldest version of Node that the package accepts. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { cleanUp } from './support/cleanup.ts'

const root = join(import.meta.dirname, '..')
const execute = promisify(execFile)

/** What differed between versions, and what uses undocumented internals. */
const DEPENDENT = [
  'src/config/loaded-code.test.ts',
  'src/core/node-internals.test.ts',
  'src/http/lent-reads.test.ts',
  'src/http/let-go.test.ts',
  'src/http/lingering-close.test.ts',
  'src/http/reset.test.ts',
  'src/http/socket-progress.test.ts',
  'src/policies/cache/memory/shared-replies.test.ts',
  'src/tls/key-pair.test.ts',
  'test/backpressure.test.ts',
  'test/client-certificate-fields.test.ts',
  'test/explain.test.ts',
  'test/slow-clients.test.ts',
  'test/tls-bodies.test.ts',
  'test/tls-reads.test.ts',
  'test/tls-services.test.ts',
  'test/zones.test.ts',
]

test(
  'what depends most on Node works with the oldest version that the package accepts',
  { timeout: 600_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-node-'))
    cleanUp(t, () => rm(folder, { recursive: true }))
    const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
    const oldest = `${engines.node.replace('>=', '')}.0`
    const binary = `node-${process.platform}-${process.arch}`
    await execute('npm', [
      'install',
      '--prefix',
      folder,
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      `${binary}@${oldest}`,
    ])
    const node = join(folder, 'node_modules', binary, 'bin/node')
    assert.equal((await execute(node, ['--version'])).stdout, `v${oldest}\n`)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const path = `${join(folder, 'node_modules', binary, 'bin')}:${env['PATH']}`
    const { stdout } = await execute(node, ['--test', '--test-reporter=tap', ...DEPENDENT], {
      cwd: root,
      env: { ...env, PATH: path },
      maxBuffer: 2 ** 26,
    }).catch((error: { stdout: string }) =>
      assert.fail(
        error.stdout
          .split('\n')
          .filter((line) => /^ *not ok/.test(line))
          .join('\n'),
      ),
    )
    assert.match(stdout, /^# fail 0$/m)
  },
)
