import type { Instance } from './instance.ts'
import { succeed } from './run.ts'

export type Answer = { status: number; body: { error?: { code: string; message: string } } & Record<string, unknown> }

/** One call to the control API from inside the parent: what no command would send, or only once. */
export async function control(instance: Instance, method: string, path: string, body: object): Promise<Answer> {
  const command = ['exec', '-i', instance.parent, 'node', '-e', CALL, method, path]
  return JSON.parse(await succeed('docker', command, { input: JSON.stringify(body) })) as Answer
}

const CALL = `
  const [, method, path] = process.argv
  const body = require('node:fs').readFileSync(0)
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const socketPath = '/run/hal9000/control.sock'
  const sent = require('node:http').request({ socketPath, method, path, headers }, async (response) => {
    let text = ''
    for await (const chunk of response) text += chunk
    console.log(JSON.stringify({ status: response.statusCode, body: JSON.parse(text) }))
  })
  sent.end(body)
`
