#!/usr/bin/env node
// Written for every version of Node, to say in one line which one is needed.
'use strict'
var needed = Number(/\d+/.exec(require('../package.json').engines.node)[0])
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error('sallyport needs Node.js ' + needed + ' or newer, and this is ' + process.version + '.')
  process.exitCode = 1
} else {
  void import('../dist/main.js')
}
