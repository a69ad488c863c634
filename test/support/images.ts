import packageJson from '../../package.json' with { type: 'json' }

/** An image of this checkout. */
export function imageOf(name: 'parent' | 'worker' | 'worker-ultramin'): string {
  return `hal9000/${name}:${packageJson.version}`
}
