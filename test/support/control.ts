import type { Instance } from './instance.ts'
import { succeed } from './run.ts'

export type Answer = { status: number; body: { error?: { code: string; message: string } } & Record<string, unknown> }

/** One call to the control API from inside the parent: what no command would send, or only once. */
export async function control(instance: Instance, method: string, path: string, body: object): Promise<Answer> {
  const [answer] = await controlAll(instance, method, path, [body])
  if (answer === undefined) throw new Error('no answer')
  return answer
}

/** The same call with many bodies at once; their answers in order. */
export async function controlAll(
  instance: Instance,
  method: string,
  path: string,
  bodies: readonly object[],
): Promise<Answer[]> {
  const command = ['exec', '-i', instance.parent, 'node', '-e', CALLS, method, path]
  return JSON.parse(await succeed('docker', command, { input: JSON.stringify(bodies) })) as Answer[]
}

const CALLS = `
  const [, method, path] = process.argv
  const call = (body) => new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const socketPath = '/run/hal9000/control.sock'
    const sent = require('node:http').request({ socketPath, method, path, headers }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode, body: JSON.parse(text) })
    })
    sent.on('error', reject)
    sent.end(body)
  })
  const bodies = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
  Promise.all(bodies.map((body) => call(JSON.stringify(body)))).then((all) => console.log(JSON.stringify(all)))
`
