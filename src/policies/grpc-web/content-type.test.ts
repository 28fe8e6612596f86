import assert from 'node:assert/strict'
import test from 'node:test'
import { wantsText, webForm, webType } from './content-type.ts'

test('a gRPC-Web call is recognized by its content type', () => {
  assert.deepEqual(webForm('application/grpc-web'), { isText: false, suffix: '' })
  assert.deepEqual(webForm('application/grpc-web+proto'), { isText: false, suffix: '+proto' })
  assert.deepEqual(webForm('Application/gRPC-Web-Text+proto; charset=utf-8'), { isText: true, suffix: '+proto' })
  for (const other of [
    undefined,
    '',
    'application/grpc',
    'application/grpc-webx',
    'application/grpc-web-texts',
    'text/application/grpc-web',
  ])
    assert.equal(webForm(other), null)
})

test('the reply is text if Accept says so, and otherwise like the request', () => {
  const binary = { isText: false, suffix: '' }
  const text = { isText: true, suffix: '' }
  assert.equal(wantsText(undefined, text), true)
  assert.equal(wantsText('*/*', binary), false)
  assert.equal(wantsText('application/grpc-web-text', binary), true)
  assert.equal(wantsText('application/grpc-web+proto', text), false)
  assert.equal(wantsText('text/plain, application/grpc-web-text+proto;q=1', binary), true)
})

test('the content type of the reply has the message format', () => {
  assert.equal(webType('application/grpc', false), 'application/grpc-web+proto')
  assert.equal(webType('application/grpc+proto', true), 'application/grpc-web-text+proto')
  assert.equal(webType('application/grpc+json; x=y', false), 'application/grpc-web+json')
  for (const other of [undefined, 'text/html', 'application/grpcx', 'application/grpc-web'])
    assert.equal(webType(other, false), null)
})
