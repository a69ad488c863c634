import { expect, test } from 'vitest'
import { type Mount, mountOf, networkOwner, parseMounts } from './mounts.ts'

const ID = 'ab'.repeat(32)

/** As a parent with a holder sees it, shortened. */
const MOUNTINFO = `1166 1046 0:122 / / rw,relatime master:408 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A
1167 1166 0:125 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1173 1166 259:1 /home/me /home/me ro,relatime - ext4 /dev/nvme0n1p1 rw
1174 1166 259:1 /srv/a\\040b\\134c\\011d /srv/a\\040b\\134c\\011d ro,relatime shared:1 master:2 - ext4 /dev/nvme0n1p1 rw
1180 1166 259:1 /var/lib/docker/containers/${ID}/hostname /etc/hostname rw,relatime - ext4 /dev/nvme0n1p1 rw
`

test('mountinfo is read, optional fields or not, with its escapes', () => {
  expect(parseMounts(MOUNTINFO)).toEqual([
    { root: '/', mountPoint: '/', source: 'overlay' },
    { root: '/', mountPoint: '/proc', source: 'proc' },
    { root: '/home/me', mountPoint: '/home/me', source: '/dev/nvme0n1p1' },
    { root: '/srv/a b\\c\td', mountPoint: '/srv/a b\\c\td', source: '/dev/nvme0n1p1' },
    { root: `/var/lib/docker/containers/${ID}/hostname`, mountPoint: '/etc/hostname', source: '/dev/nvme0n1p1' },
  ])
  expect(parseMounts('')).toEqual([])
})

test('an escaped backslash does not begin another escape', () => {
  expect(parseMounts(String.raw`1 1 0:1 / /a\134040b rw - ext4 /dev/x rw`)[0]?.mountPoint).toBe(String.raw`/a\040b`)
})

test.each([
  ['/home/me', '/home/me'],
  ['/home/me/proj', '/home/me'],
  ['/home/meh', '/'],
  ['/home', '/'],
  ['/', '/'],
  ['/srv/a b\\c\td/x', '/srv/a b\\c\td'],
])('%j is on the mount at %j', (path, mountPoint) => {
  expect(mountOf(path, parseMounts(MOUNTINFO))?.mountPoint).toBe(mountPoint)
})

test('of two mounts at one place the later one lies on top', () => {
  const mounts: Mount[] = [
    { mountPoint: '/a', root: 'below', source: '' },
    { mountPoint: '/a', root: 'on top', source: '' },
    { mountPoint: '/', root: '/', source: '' },
  ]
  expect(mountOf('/a/b', mounts)?.root).toBe('on top')
  expect(mountOf('/b', [])).toBeUndefined()
})

test('the owner of the network is read from the mount of /etc/hostname', () => {
  expect(networkOwner(parseMounts(MOUNTINFO))).toBe(ID)
  expect(networkOwner(parseMounts(MOUNTINFO.replace('/hostname /etc', '/hostname//deleted /etc')))).toBe(ID)
  expect(networkOwner(parseMounts(MOUNTINFO.replace(ID, 'short')))).toBeUndefined()
  expect(networkOwner([])).toBeUndefined()
})
