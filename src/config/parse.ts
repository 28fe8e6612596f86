import type { Policy } from '../policies/policy.ts'
import { policies } from '../policies/index.ts'
import { checkCertificates } from './check-certificates.ts'
import { check, type Checked, type Finding } from './issues.ts'
import { mergePolicies, originOf } from './merge.ts'
import type { Unparsed } from './unparsed.ts'
import { ConfigError, formatPath, type Path, type Problem, sortProblems } from './problems.ts'
import { checkReferences } from './references.ts'
import { checkPlain, gatewaySchemaFor } from './own-policies.ts'
import type { GatewayConfig } from './schema.ts'
import { sharePolicies, withPoliciesOnce } from './shared-policies.ts'
import { type Source, valueSource } from './source.ts'
import { isWholeSubstitution } from './substitute.ts'
import { isFields } from '../core/value.ts'

/**
 * Parses a configuration given as a value; `earlier` are problems that are known already. Throws ConfigError with all of
 * them.
 */
export function parseConfig(
  value: unknown,
  loaded: Unparsed = { value, chain: policies, findings: [] },
  earlier: readonly Problem[] = [],
): GatewayConfig {
  return parseFrom(loaded, valueSource(), earlier)
}

/**
 * Parses what was read from a source, with the policies that it may name; `earlier` are the problems that reading it
 * brought, and `further` finds what is wrong with what is well-formed. Throws ConfigError.
 *
 * 1. Give each route the policies of every route.
 * 2. Parse with the schema.
 * 3. Texts that came whole from a variable become the number, true or false that the schema would not take as text.
 * 4. Check what refers to what, that the options of own policies can be handed to other threads, and certificates.
 */
export function parseFrom(
  { value: written, chain, findings: unloaded }: Unparsed,
  source: Source,
  earlier: readonly Problem[] = [],
  further: (config: GatewayConfig) => readonly Finding[] = () => [],
): GatewayConfig {
  const value = withoutExtensions(written)
  const first = attempt(value, source, chain)
  const retyped = 'findings' in first ? retype(value, first.findings, source) : value
  const checked = retyped === value ? first : attempt(retyped, source, chain)
  const findings = [
    ...unloaded,
    ...('findings' in checked
      ? checked.findings
      : [
          ...checkPlain(checked.value, chain),
          ...checkCertificates(checked.value, Date.now()),
          ...further(checked.value),
        ]
    ).filter(({ path }) => !unloaded.some((finding) => formatPath(finding.path) === formatPath(path))),
    ...checkReferences(retyped, (path) => source.written(path), chain, 'value' in checked ? checked.value : null),
  ]
  const problems = collectProblems(findings, source, earlier)
  if (problems.length > 0 || !('value' in checked)) throw new ConfigError(problems)
  return checked.value
}

/** Without the keys that begin with "x-", which are a place for anchors. */
function withoutExtensions(value: unknown): unknown {
  if (!isFields(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
}

function attempt(value: unknown, source: Source, chain: readonly Policy[]): Checked<GatewayConfig> {
  // 1.
  const merged = mergePolicies(value)
  // 2.
  const schema = gatewaySchemaFor(chain)
  const written = (path: Path): string | undefined => source.written(originOf(value, path))
  const once = check(schema, withPoliciesOnce(merged), written)
  if ('value' in once) {
    sharePolicies(once.value, merged)
    return once
  }
  // What is wrong is told of each route.
  const checked = check(schema, merged, written)
  if ('value' in checked) return checked
  return {
    findings: checked.findings.map(({ path, isKey, message }) => ({ path: originOf(value, path), isKey, message })),
  }
}

// 3.
function retype(value: unknown, findings: readonly Finding[], source: Source): unknown {
  return findings.reduce((config, { path }) => {
    const written = source.written(path)
    return written !== undefined && isWholeSubstitution(written) ? update(config, path, scalarOf) : config
  }, value)
}

function scalarOf(text: unknown): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return typeof text === 'string' && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : text
}

/** A copy with one value changed; the same object where the change makes no difference. */
function update(value: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return change(value)
  if (Array.isArray(value)) {
    const item = update(value[Number(key)], rest, change)
    return item === value[Number(key)] ? value : value.with(Number(key), item)
  }
  if (!isFields(value)) return value
  const field = update(value[key], rest, change)
  return field === value[key] ? value : { ...value, [key]: field }
}

/** Findings with their places, each said once, and none about a text that reading could not complete. */
function collectProblems(findings: readonly Finding[], source: Source, earlier: readonly Problem[]): Problem[] {
  const seen = new Set(earlier.map(placeOf))
  const problems = findings.map(({ path, isKey, message }): Problem => {
    const position = isKey ? source.locateKey(path) : source.locate(path)
    return { file: source.file, position, path: formatPath(path), message }
  })
  const fresh = problems.filter((problem, i) => {
    // What is wrong below an anchor is said once, not for each of its aliases.
    const { position, message } = problem
    const place = position === undefined ? problem.path : `${placeOf(problem)} ${String(findings[i]?.path.at(-1))}`
    const key = `${place} ${message}`
    if (seen.has(key) || (problem.position !== undefined && seen.has(placeOf(problem)))) return false
    seen.add(key)
    return true
  })
  return sortProblems([...earlier, ...fresh])
}

function placeOf({ position }: Problem): string {
  return `${position?.line}:${position?.column}`
}
