import assert from 'node:assert/strict'
import test from 'node:test'
import { cpuFromSchedstat, parentFromStat, peakFromStatus } from './proc.ts'

test('the parent is found after a name with spaces and parentheses', () => {
  assert.equal(parentFromStat('42 (a) b (c) S 17 42 42 0 -1 4194560'), 17)
})

test('CPU time is the first field of schedstat', () => {
  assert.equal(cpuFromSchedstat('97135000 67700 2\n'), 97_135_000)
})

test('a process that has exited counts as zero', () => {
  assert.equal(cpuFromSchedstat(''), 0)
  assert.equal(peakFromStatus(''), 0)
})

test('peak resident memory is read in bytes', () => {
  assert.equal(peakFromStatus('Name:\tnode\nVmHWM:\t   51200 kB\nVmRSS:\t   40000 kB\n'), 52_428_800)
})
