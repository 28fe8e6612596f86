import assert from 'node:assert/strict'
import test from 'node:test'
import { blocksOf } from './markdown.ts'

const text = `# Title

<!-- not run: needs Docker -->

    docker run a
      --more

    b

Text
    no code

1. A list

   <!-- file: a.ts -->
   \`\`\`ts
   if (a)
     b()
   \`\`\`

\`\`\`\`yaml
a: |
  \`\`\`
\`\`\`\`
`

test('fenced and indented blocks are found, with the comments above them', () => {
  const found = blocksOf('a.md', text).map(({ line, language, code, notRun, file }) => [
    line,
    language,
    code,
    notRun,
    file,
  ])
  assert.deepEqual(found, [
    [5, null, 'docker run a\n  --more\n\nb', 'needs Docker', null],
    [17, 'ts', 'if (a)\n  b()', null, 'a.ts'],
    [22, 'yaml', 'a: |\n  ```', null, null],
  ])
})
