import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import type { Instance } from '../support/instance.ts'
import { succeed } from '../support/run.ts'
import { FAULT_FILE, type Fault, TRACE_FILE } from './fault.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SHIPPED = `hal9000/parent:${manifest.version}`
const IMAGE = `hal9000/parent-faults:${manifest.version}`

/** Builds the parent's image with a coordinator whose boundaries can fail; what an instance is told to run it. */
export async function faultyParent(): Promise<{ HAL9000_PARENT_IMAGE: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hal9000-faults-'))
  try {
    const bundle = ['images/bundle.ts', '--outdir', folder, '--daemon', 'test/faults/daemon.ts']
    await succeed(process.execPath, bundle, { cwd: ROOT })
    await writeFile(join(folder, 'Dockerfile'), `FROM ${SHIPPED}\nCOPY daemon.cjs /usr/lib/hal9000/daemon.cjs\n`)
    await succeed('docker', ['build', '--quiet', '--tag', IMAGE, folder])
  } finally {
    await rm(folder, { recursive: true })
  }
  return { HAL9000_PARENT_IMAGE: IMAGE }
}

/** Names of the boundaries that are crossed while the work is done, in the order of their first time. */
export async function boundaries(instance: Instance, work: () => Promise<void>): Promise<string[]> {
  await inParent(instance, `: >${TRACE_FILE}`)
  await work()
  const names = await inParent(instance, `cat ${TRACE_FILE}; rm ${TRACE_FILE}`)
  return [...new Set(names.split('\n'))]
}

/** The coordinator is killed or stopped there, once. */
export async function arm(instance: Instance, fault: Fault): Promise<void> {
  await inParent(
    instance,
    `printf %s '${JSON.stringify(fault)}' >${FAULT_FILE}.new && mv ${FAULT_FILE}.new ${FAULT_FILE}`,
  )
}

/** Takes a fault back; whether it had happened. */
export async function disarm(instance: Instance): Promise<boolean> {
  return (await inParent(instance, `if [ -e ${FAULT_FILE} ]; then rm ${FAULT_FILE}; echo armed; fi`)) === ''
}

async function inParent(instance: Instance, script: string): Promise<string> {
  return await succeed('docker', ['exec', instance.parent, 'sh', '-c', script])
}
