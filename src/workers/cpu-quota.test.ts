import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { automaticWorkers, cpuQuota } from './cpu-quota.ts'

/** A machine whose files are these and no others. */
function machine(files: Readonly<Record<string, string>>): (path: string) => string | null {
  return (path) => files[path] ?? null
}

const secondVersion = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n'
const firstVersion =
  '24 23 0:21 / /proc rw - proc proc rw\n' +
  '33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n' +
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n'

describe('the quota of CPU time', () => {
  it('is unlimited outside of cgroups, and on a machine that has none', () => {
    assert.equal(cpuQuota(machine({})), Infinity)
    assert.equal(cpuQuota(machine({ '/proc/self/mountinfo': secondVersion })), Infinity)
  })

  it("is cpu.max of the process's group (version 2, as seen in a container with its own namespace)", () => {
    const read = machine({
      '/proc/self/mountinfo': secondVersion,
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '50000 100000\n',
    })
    assert.equal(cpuQuota(read), 0.5)
  })

  it('is the minimum of the group and its ancestors (version 2)', () => {
    const files = {
      '/proc/self/mountinfo': secondVersion,
      '/proc/self/cgroup': '0::/kubepods.slice/pod1.slice/cri-1.scope\n',
      '/sys/fs/cgroup/kubepods.slice/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/kubepods.slice/pod1.slice/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/kubepods.slice/pod1.slice/cri-1.scope/cpu.max': '400000 100000\n',
    }
    assert.equal(cpuQuota(machine(files)), 1.5)
  })

  it('is unlimited if cpu.max says max', () => {
    const read = machine({
      '/proc/self/mountinfo': secondVersion,
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    })
    assert.equal(cpuQuota(read), Infinity)
  })

  it("is read from the cfs files of the process's group (version 1)", () => {
    const read = machine({
      '/proc/self/mountinfo': firstVersion,
      '/proc/self/cgroup': '3:cpuset:/other\n4:cpu,cpuacct:/docker/abc\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '25000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000\n',
    })
    assert.equal(cpuQuota(read), 0.25)
  })

  it('is found if the group is mounted as the root but named as the host sees it (version 1 in a container)', () => {
    const read = machine({
      '/proc/self/mountinfo': firstVersion.replace(':29 / ', ':29 /docker/abc '),
      '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    })
    assert.equal(cpuQuota(read), 2)
  })

  it('is that of the mount if the group is outside of the mounted hierarchy', () => {
    const read = machine({
      '/proc/self/mountinfo': firstVersion.replace(':29 / ', ':29 /docker/abc '),
      '/proc/self/cgroup': '4:cpu,cpuacct:/\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    })
    assert.equal(cpuQuota(read), 2)
  })

  it('is the minimum if both versions are mounted', () => {
    const read = machine({
      '/proc/self/mountinfo': `${firstVersion}${secondVersion.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified')}`,
      '/proc/self/cgroup': '4:cpu,cpuacct:/a\n0::/a\n',
      '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000\n',
    })
    assert.equal(cpuQuota(read), 3)
  })

  it('is unlimited if the files are malformed', () => {
    const read = machine({
      '/proc/self/mountinfo': secondVersion,
      '/proc/self/cgroup': 'nonsense\n0::/\n',
      '/sys/fs/cgroup/cpu.max': 'nonsense\n',
    })
    assert.equal(cpuQuota(read), Infinity)
  })

  it('can be read on this machine', () => {
    assert.ok(cpuQuota() > 0)
  })
})

describe('the number of workers for "auto"', () => {
  for (const [cores, quota, workers] of [
    [8, Infinity, 8],
    [8, 0.5, 1],
    [8, 1.5, 1],
    [8, 2, 2],
    [2, 4, 2],
  ] as const) {
    it(`is ${workers} with ${cores} cores and a quota of ${quota}`, () => {
      assert.equal(automaticWorkers(cores, quota), workers)
    })
  }
})
