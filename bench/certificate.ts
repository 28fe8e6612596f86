import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The key type of a certificate. */
export type KeyType = 'P-256' | 'RSA 2048'

/** PEM files: the certificate, its key, and both in one. */
export type Certificate = { cert: string; key: string; both: string }

const newKey: Record<KeyType, string[]> = {
  'P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'RSA 2048': ['-newkey', 'rsa:2048'],
}

/** Makes a certificate for 127.0.0.1 in the folder. */
export function makeCertificate(type: KeyType, dir: string): Certificate {
  const files = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem'), both: join(dir, 'both.pem') }
  const { cert, key, both } = files
  const what = ['-x509', '-sha256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1']
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', ...what, ...names, ...newKey[type], '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  return files
}
