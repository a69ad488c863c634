import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }

/**
 * Writes what the parent runs as single files: `node images/bundle.ts [--outdir dist]`. The fault suite has a `--daemon` of
 * its own.
 *
 * All are CommonJS: the same code as ES modules takes twice the time to start.
 */
const { values } = parseArgs({
  options: {
    outdir: { type: 'string', default: 'dist' },
    daemon: { type: 'string', default: 'coordinator/main.ts' },
  },
})

const bundles = {
  spawn: 'parent/cli/spawn.ts',
  coordinator: 'parent/cli/coordinator.ts',
  deploy: 'coordinator/deploy/main.ts',
  daemon: values.daemon,
  probe: 'coordinator/project/probe-main.ts',
  'parent-log': 'coordinator/parent-log.ts',
}

/** Doors in libraries behind which lies much code for what this product never does. */
const closedDoors: Record<string, string> = {
  'docker-modem/lib/ssh.js': 'Docker over SSH',
  'dockerode/lib/session.js': 'BuildKit sessions',
  'dockerode/lib/buildkit.js': 'BuildKit progress',
  'pino/lib/transport.js': 'log transports in worker threads',
}

/** What lay behind them: if it comes back by another way, the bundle is refused. */
const keptOut = /node_modules\/(ssh2|cpu-features|@grpc\/[^/]+|protobufjs|thread-stream)\//

const revision = process.env['HAL9000_BUILD_REVISION'] || 'unknown'

const { metafile } = await build({
  entryPoints: bundles,
  outdir: values.outdir,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // Two thirds of the bytes: the daemon needs 7 MB less. Names are kept for stack traces, and lines short, since Node prints
  // the whole line that an uncaught error came from.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  // A class that refers to itself is renamed otherwise, and a log says `_Failure`.
  keepNames: true,
  legalComments: 'none',
  // "--": Node reads the file of an `--env-file` behind the script's name too (nodejs/node#54232), and would follow a
  // NODE_OPTIONS in it, here in the parent.
  banner: { js: '#!/usr/local/bin/node --' },
  define: {
    'process.env.HAL9000_BUILD_VERSION': JSON.stringify(manifest.version),
    'process.env.HAL9000_BUILD_REVISION': JSON.stringify(revision),
  },
  // An optional native accelerator: msgpackr looks for it, finds nothing, and does without.
  external: ['msgpackr-extract'],
  // `import.meta` is empty in CommonJS: a file found by it would be missing at run time only.
  logOverride: { 'empty-import-meta': 'error' },
  logLevel: 'warning',
  metafile: true,
  plugins: [closeDoors()],
})

const cameBack = Object.keys(metafile.inputs).filter((path) => keptOut.test(path))
if (cameBack.length > 0) throw new Error(`Kept out of the bundles, but reached again: ${cameBack.join(', ')}`)

await Promise.all(Object.keys(bundles).map((name) => chmod(join(values.outdir, `${name}.cjs`), 0o755)))

/** Puts what says so at its first use in the place of each closed door. */
function closeDoors(): Plugin {
  return {
    name: 'closed-doors',
    setup(bundler) {
      for (const [file, feature] of Object.entries(closedDoors)) {
        const message = JSON.stringify(`${feature}: left out of this bundle (images/bundle.ts)`)
        const contents = `const refuse = () => { throw new Error(${message}) }
          module.exports = new Proxy(refuse, { get: refuse })`
        bundler.onLoad({ filter: new RegExp(`/node_modules/${file.replaceAll('.', '\\.')}$`) }, () => ({ contents }))
      }
    },
  }
}
