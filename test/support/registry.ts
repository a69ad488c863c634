import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { imageOf } from './images.ts'
import { run, succeed } from './run.ts'

/**
 * How an image's own layer is served: whole; half of it and the rest after `release`; a bit now and then until `release`, so
 * that it moves; the first time half of it and then the connection is cut.
 */
type Serving = 'whole' | 'half' | 'slowly' | 'cut'

type Blob = { digest: string; data: Buffer }
type Published = { manifest: Blob; config: Blob; layer: Blob; serving: Serving; released: PromiseWithResolvers<void> }

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
/** Large enough for the engine to tell of its progress. Bytes. */
const LAYER = 16 * 2 ** 20
const BIT = 64 * 2 ** 10
/** Between two bits. Milliseconds. */
const STEP = 250

/**
 * A registry of worker images on 127.0.0.1, as much of it as a pull needs (OCI distribution specification, 1.1). Each image
 * is hal9000/worker-ultramin and a layer of its own, which no engine has.
 */
export class Registry {
  /** Of the images' own layers: "IMAGE", once for each time it was asked for. */
  readonly asked: string[] = []
  readonly #open: string[] = []
  /** Ids of images that lost their name to a later one. */
  readonly #replaced: string[] = []
  readonly #server: Server
  readonly #base: { config: Config; layers: Blob[] }
  readonly #images = new Map<string, Published>()

  private constructor(base: { config: Config; layers: Blob[] }) {
    this.#base = base
    this.#server = createServer((request, response) => {
      response.on('error', () => {})
      this.#answer(request, response).catch(() => response.destroy())
    })
    // The engine tries TLS first.
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  static async start(): Promise<Registry> {
    const registry = new Registry(await savedBase())
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  /** A reference of this registry, whether or not it has such an image. */
  reference(image: string): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it does not listen')
    return `127.0.0.1:${address.port}/${image}:1`
  }

  /** Publishes an image, or another one under the same name; its reference. `labels` are added to those of a worker. */
  async publish(image: string, serving: Serving = 'whole', labels: Record<string, string> = {}): Promise<string> {
    const layer = await ownLayer()
    const { config, layers } = this.#base
    const own = { ...config, config: { ...config.config, Labels: { ...config.config.Labels, ...labels } } }
    own.rootfs = { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.digest] }
    own.history = [...config.history, { created: '2030-01-01T00:00:00Z', created_by: 'a test' }]
    const configBlob = blobOf(Buffer.from(JSON.stringify(own)))
    const manifest = blobOf(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: described('application/vnd.docker.container.image.v1+json', configBlob),
          layers: [...layers, layer].map((one) => described('application/vnd.docker.image.rootfs.diff.tar', one)),
        }),
      ),
    )
    const before = this.#images.get(image)
    if (before !== undefined) this.#replaced.push(before.config.digest)
    this.#images.set(image, { manifest, config: configBlob, layer, serving, released: Promise.withResolvers() })
    return this.reference(image)
  }

  /** Lets the rest of an image's layer come. */
  release(image: string): void {
    this.#images.get(image)?.released.resolve()
  }

  /** How often an image's own layer was asked for. */
  times(image: string): number {
    return this.asked.filter((one) => one === image).length
  }

  /** How many of these answers are still being read. */
  open(image: string): number {
    return this.#open.filter((one) => one === image).length
  }

  /** Removes from the engine what was pulled from here, and nothing else. */
  async close(): Promise<void> {
    const references = [...this.#images.keys()].map((image) => this.reference(image))
    for (const image of [...references, ...this.#replaced]) await run('docker', ['rmi', image])
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, image = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? []
    if (kind === '') return void response.end('{}')
    if (image.startsWith('denied')) return refuse(response, 401, 'UNAUTHORIZED', 'authentication required')
    const published = this.#images.get(image)
    if (published === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    if (kind === 'manifests') return send(request, response, published.manifest, MANIFEST)
    const blob = [published.config, published.layer, ...this.#base.layers].find(({ digest }) => digest === reference)
    if (blob === undefined) return refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown')
    if (blob !== published.layer || request.method === 'HEAD') return send(request, response, blob, BINARY)
    this.asked.push(image)
    this.#open.push(image)
    response.on('close', () => this.#open.splice(this.#open.indexOf(image), 1))
    await serve(published, request, response)
  }
}

const BINARY = 'application/octet-stream'

type Config = {
  config: { Labels?: Record<string, string> } & Record<string, unknown>
  rootfs: { type: string; diff_ids: string[] }
  history: object[]
}

async function serve(image: Published, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { serving, released } = image
  const { digest } = image.layer
  const size = image.layer.data.length
  // What was cut is gone on with.
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const data = image.layer.data.subarray(from)
  response.writeHead(from > 0 ? 206 : 200, {
    'content-type': BINARY,
    'content-length': data.length,
    'docker-content-digest': digest,
    ...(from > 0 && { 'content-range': `bytes ${from}-${size - 1}/${size}` }),
  })
  const half = data.length / 2
  let sent = 0
  switch (serving) {
    case 'whole':
      break
    case 'half':
      response.write(data.subarray(0, half))
      sent = half
      await released.promise
      break
    case 'slowly':
      for (let go = false; !go && sent + BIT < data.length && !response.destroyed; sent += BIT) {
        response.write(data.subarray(sent, sent + BIT))
        go = await Promise.race([sleep(STEP, false), released.promise.then(() => true)])
      }
      break
    case 'cut':
      await new Promise((resolve) => response.write(data.subarray(0, half), resolve))
      image.serving = 'whole'
      response.destroy()
  }
  response.end(data.subarray(sent))
}

function send(request: IncomingMessage, response: ServerResponse, { data, digest }: Blob, type: string): void {
  response.writeHead(200, { 'content-type': type, 'content-length': data.length, 'docker-content-digest': digest })
  response.end(request.method === 'HEAD' ? undefined : data)
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="a test"' } : {}
  response.writeHead(status, { 'content-type': 'application/json', ...challenge })
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}

function blobOf(data: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(data).digest('hex')}`, data }
}

function described(mediaType: string, { digest, data }: Blob): object {
  return { mediaType, size: data.length, digest }
}

/** A layer that nobody has seen before, and that cannot be made smaller. */
async function ownLayer(): Promise<Blob> {
  return await inDirectory(async (directory) => {
    await mkdir(join(directory, 'opt'))
    await writeFile(join(directory, 'opt', 'own'), randomBytes(LAYER))
    await succeed('tar', ['-cf', join(directory, 'layer.tar'), '--owner=0', '--group=0', '-C', directory, 'opt/own'])
    return blobOf(await readFile(join(directory, 'layer.tar')))
  })
}

/** The config and the layers of the smallest worker image. */
async function savedBase(): Promise<{ config: Config; layers: Blob[] }> {
  return await inDirectory(async (directory) => {
    await succeed('docker', ['save', '-o', join(directory, 'saved.tar'), imageOf('worker-ultramin')])
    await succeed('tar', ['-xf', join(directory, 'saved.tar'), '-C', directory])
    const read = (file: string): Promise<Buffer> => readFile(join(directory, file))
    const [saved] = JSON.parse((await read('manifest.json')).toString()) as { Config: string; Layers: string[] }[]
    if (saved === undefined) throw new Error('nothing was saved')
    const layers = await Promise.all(saved.Layers.map(async (file) => blobOf(await read(file))))
    return { config: JSON.parse((await read(saved.Config)).toString()) as Config, layers }
  })
}

async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'hal9000-test-registry-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}
