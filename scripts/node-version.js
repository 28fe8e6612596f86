// Plain JavaScript: it has to run on a Node that is too old for the rest.
import { readFileSync } from 'node:fs'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const wanted = engines.node.match(/\d+/g).map(Number)
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  console.error(
    `Sallyport needs Node ${wanted.join('.')} or later, and this is Node ${process.versions.node}.\n` +
      'Start it through npm (npm start, npm test …) after `npm ci`, which installs Node 26 with the other dependencies.\n' +
      'If you did, the install script of the package "node" was not allowed to run. Run it with `npm rebuild node`.',
  )
  process.exit(1)
}
