import assert from 'node:assert/strict'
import test from 'node:test'
import { negotiateFormat } from './format.ts'

const cases: Readonly<Record<string, 'prometheus' | 'openmetrics'>> = {
  '': 'prometheus',
  '*/*': 'prometheus',
  'text/plain': 'prometheus',
  'text/html,application/xhtml+xml,*/*;q=0.8': 'prometheus',
  'application/openmetrics-text': 'openmetrics',
  'application/openmetrics-text; version=1.0.0; charset=utf-8': 'openmetrics',
  'Application/OpenMetrics-Text;Version="1.0.0"': 'openmetrics',
  'application/openmetrics-text;version=0.0.1,text/plain;q=0.5': 'openmetrics',
  'application/openmetrics-text;version=2.0.0': 'prometheus',
  'application/openmetrics-text;q=0': 'prometheus',
  'application/openmetrics-text;q=0, */*': 'prometheus',
  'application/openmetrics-text;q=0.5, text/plain': 'prometheus',
  'text/plain;q=0.4, application/openmetrics-text;q=0.5': 'openmetrics',
  'text/plain;q=0.5, application/openmetrics-text;q=0.5': 'prometheus',
  'application/*': 'openmetrics',
  'application/*;q=0.5, text/*': 'prometheus',
  'text/plain;q=0.1, */*;q=0.2': 'openmetrics',
  'application/openmetrics-text;q=high, text/plain;q=0.1': 'prometheus',
  // Prometheus 2.42 and 3.5 as they ask by default.
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1':
    'openmetrics',
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2':
    'openmetrics',
}

for (const [accept, format] of Object.entries(cases))
  test(`Accept: ${accept} gets ${format}`, () => assert.equal(negotiateFormat(accept), format))

test('the Prometheus format is the default without Accept', () =>
  assert.equal(negotiateFormat(undefined), 'prometheus'))
