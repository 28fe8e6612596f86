#!/usr/bin/env node
// Written for every version of Node, to say in one line which one is needed.
'use strict'
var needed = /\d+\.\d+/.exec(require('../package.json').engines.node)[0]
var parts = process.versions.node.split('.').concat(needed.split('.')).map(Number)
if (parts[0] < parts[3] || (parts[0] === parts[3] && parts[1] < parts[4])) {
  console.error('sallyport needs Node.js ' + needed + ' or newer, and this is ' + process.version + '.')
  process.exitCode = 1
} else {
  void import('../dist/main.js')
}
