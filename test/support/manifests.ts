import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role'
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parseAllDocuments } from 'yaml'

/** Kubernetes objects by kind: the rendered manifests contain one of each kind. */
export interface Manifests {
  readonly Deployment: Deployment
  readonly Service: Service
  readonly ConfigMap?: ConfigMap
  readonly HorizontalPodAutoscaler?: HorizontalPodAutoscaler
  readonly NetworkPolicy?: NetworkPolicy
  readonly PodDisruptionBudget?: PodDisruptionBudget
  readonly Role?: Role
  readonly RoleBinding?: RoleBinding
  readonly ServiceAccount?: ServiceAccount
  readonly ServiceMonitor?: ServiceMonitor
}

const models = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  Service,
  ServiceAccount,
  ServiceMonitor,
}

const deploy = join(import.meta.dirname, '../../deploy')
export const chart = join(deploy, 'helm/sallyport')

/** The output of `kubectl kustomize` for a folder of deploy/kubernetes. */
export function kustomize(folder: string): Manifests {
  return read(succeed(spawnSync('kubectl', ['kustomize', join(deploy, 'kubernetes', folder)], { encoding: 'utf8' })))
}

/** Runs helm. */
export function helm(...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('helm', args, { encoding: 'utf8' })
}

/** The chart rendered with one of the sets of values in its folder ci. */
export function helmTemplate(values: string): Manifests {
  return read(succeed(helm('template', 'test', chart, '--values', valuesFile(values))))
}

/** The file of one of the sets of values in the chart's folder ci. */
export function valuesFile(values: string): string {
  return join(chart, `ci/${values}-values.yaml`)
}

/** Parses manifests; throws if one violates the schema of its kind, or if a kind occurs twice. */
export function read(text: string): Manifests {
  const found: Record<string, unknown> = {}
  for (const document of parseAllDocuments(text)) {
    const manifest: unknown = document.toJS()
    const kind = kindOf(manifest)
    if (found[kind] !== undefined) throw new Error(`a second ${kind}`)
    const model = new models[kind](manifest as never)
    model.validate()
    if (model.apiVersion !== (manifest as { apiVersion: string }).apiVersion) throw new Error(`apiVersion of ${kind}`)
    found[kind] = manifest
  }
  return found as unknown as Manifests
}

function kindOf(manifest: unknown): keyof typeof models {
  const { kind = 'none' } = manifest as { kind?: string }
  if (kind in models) return kind as keyof typeof models
  throw new Error(`no schema for the kind ${kind}`)
}

function succeed({ status, stdout, stderr, error }: SpawnSyncReturns<string>): string {
  if (status === 0) return stdout
  throw error ?? new Error(stderr)
}
