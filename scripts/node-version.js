// Plain JavaScript: it has to run on a Node that is too old for the rest.
const wanted = 24
const [major] = process.versions.node.split('.').map(Number)

if (major < wanted) {
  console.error(
    `Sallyport needs Node ${wanted} or later and this is Node ${process.versions.node}.\n` +
      'Start it through npm (npm start, npm test …) after `npm ci`: that installs Node 26 beside the other dependencies.\n' +
      'If you did, then the install script of the package "node" was not allowed to run: `npm rebuild node` runs it.',
  )
  process.exit(1)
}
