import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '#lib/oauth/special-addresses'

describe('a public address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
    '2001:200::1',
    '2003::1',
    '2A00:1450:4001:82A::200E',
  ])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each([
    { kind: 'this network', address: '0.0.0.0' },
    { kind: 'this network', address: '0.1.2.3' },
    { kind: 'private', address: '10.0.0.1' },
    { kind: 'private', address: '10.255.255.255' },
    { kind: 'shared by carriers', address: '100.64.0.0' },
    { kind: 'a cloud metadata service', address: '100.100.100.200' },
    { kind: 'shared by carriers', address: '100.127.255.255' },
    { kind: 'loopback', address: '127.0.0.1' },
    { kind: 'loopback', address: '127.255.255.255' },
    { kind: 'link-local', address: '169.254.0.1' },
    { kind: 'a cloud metadata service', address: '169.254.169.254' },
    { kind: 'a host of a cloud', address: '168.63.129.16' },
    { kind: 'private', address: '172.16.0.1' },
    { kind: 'private', address: '172.31.255.255' },
    { kind: 'protocol assignments', address: '192.0.0.8' },
    { kind: 'documentation', address: '192.0.2.1' },
    { kind: '6to4 relays', address: '192.88.99.1' },
    { kind: 'private', address: '192.168.1.1' },
    { kind: 'benchmarks', address: '198.19.255.255' },
    { kind: 'documentation', address: '198.51.100.1' },
    { kind: 'documentation', address: '203.0.113.9' },
    { kind: 'multicast', address: '224.0.0.1' },
    { kind: 'reserved', address: '240.0.0.1' },
    { kind: 'broadcast', address: '255.255.255.255' },
    { kind: 'unspecified', address: '::' },
    { kind: 'loopback', address: '::1' },
    { kind: 'loopback in full', address: '0:0:0:0:0:0:0:1' },
    { kind: 'mapped IPv4', address: '::ffff:127.0.0.1' },
    { kind: 'mapped IPv4 in hexadecimal', address: '::ffff:7f00:1' },
    { kind: 'mapped public IPv4', address: '::ffff:8.8.8.8' },
    { kind: 'IPv4-compatible', address: '::127.0.0.1' },
    { kind: 'NAT64', address: '64:ff9b::a9fe:a9fe' },
    { kind: 'NAT64', address: '64:ff9b::169.254.169.254' },
    { kind: 'local NAT64', address: '64:ff9b:1::7f00:1' },
    { kind: 'discard-only', address: '100::1' },
    { kind: 'Teredo', address: '2001::1' },
    { kind: 'Teredo', address: '2001:0:4136:e378:8000:63bf:3fff:fdd2' },
    { kind: 'ORCHID', address: '2001:20::1' },
    { kind: 'benchmarks', address: '2001:2::1' },
    { kind: 'documentation', address: '2001:db8::1' },
    { kind: 'documentation', address: '3fff:fff::1' },
    { kind: '6to4 of loopback', address: '2002:7f00:1::' },
    { kind: '6to4', address: '2002:808:808::1' },
    { kind: 'AS112', address: '2620:4f:8000::1' },
    { kind: 'ISATAP', address: '2606:4700::5efe:127.0.0.1' },
    { kind: 'ISATAP', address: '2606:4700::200:5efe:7f00:1' },
    { kind: 'segment routing', address: '5f00::1' },
    { kind: 'unique local', address: 'fc00::1' },
    { kind: 'unique local', address: 'fd00:ec2::254' },
    { kind: 'link-local', address: 'fe80::1' },
    { kind: 'link-local with a zone', address: 'fe80::1%eth0' },
    { kind: 'site-local', address: 'fec0::1' },
    { kind: 'multicast', address: 'ff02::1' },
    { kind: 'public with a zone', address: '2606:4700::1%eth0' },
    { kind: 'octal', address: '0177.0.0.1' },
    { kind: 'decimal', address: '134744072' },
    { kind: 'short', address: '8.8' },
    { kind: 'too large', address: '8.8.8.256' },
    { kind: 'a name', address: 'app.example' },
    { kind: 'nothing', address: '' },
    { kind: 'two gaps', address: '2606::4700::1' },
    { kind: 'nine groups', address: '2606:1:2:3:4:5:6:7:8' },
    { kind: 'seven groups', address: '2606:1:2:3:4:5:6' },
    { kind: 'a gap of nothing', address: '2606:1:2:3::4:5:6:7' },
    { kind: 'brackets', address: '[2606:4700::1]' },
    { kind: 'a space', address: ' 8.8.8.8' },
  ])('is not $address ($kind)', ({ address }) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it('is never one that the platform’s own list calls private', () => {
    const list = new BlockList()
    for (const [net, bits] of [
      ['10.0.0.0', 8],
      ['127.0.0.0', 8],
      ['169.254.0.0', 16],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
    ] as const) {
      list.addSubnet(net, bits, 'ipv4')
    }
    list.addSubnet('fc00::', 7, 'ipv6')
    list.addSubnet('2001:db8::', 32, 'ipv6')
    const blocked = (address: string) => list.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(isPublicAddress(address) && blocked(address)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
})
