/**
 * Writes datagrams as a capture file that every dissector reads: the classic format of libpcap, each packet an IPv4
 * packet (LINKTYPE_RAW, 101) of the loopback interface.
 */
import type { Datagram } from './host.js';

const MAGIC = 0xa1b2c3d4; // times in microseconds
const LINKTYPE_RAW = 101;
const IPV4_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;

/** The file for `datagrams`. */
export function writePcap(datagrams: readonly Datagram[]): Uint8Array {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return Buffer.concat([header, ...datagrams.flatMap((datagram) => writePacket(datagram))]);
}

function writePacket({ atMs, from, to, bytes }: Datagram): Uint8Array[] {
  const length = IPV4_HEADER + UDP_HEADER + bytes.length;
  const packet = Buffer.alloc(16);
  packet.writeUInt32LE(Math.floor(atMs / 1000), 0);
  packet.writeUInt32LE((atMs % 1000) * 1000, 4);
  packet.writeUInt32LE(length, 8);
  packet.writeUInt32LE(length, 12);

  const ip = Buffer.alloc(IPV4_HEADER);
  ip[0] = 0x45;
  ip.writeUInt16BE(length, 2);
  ip[8] = 64;
  ip[9] = UDP;
  ip.set([127, 0, 0, 1, 127, 0, 0, 1], 12);
  ip.writeUInt16BE(checksum(ip), 10);

  const udp = Buffer.alloc(UDP_HEADER); // without a checksum, which IPv4 allows
  udp.writeUInt16BE(from, 0);
  udp.writeUInt16BE(to, 2);
  udp.writeUInt16BE(UDP_HEADER + bytes.length, 4);
  return [packet, ip, udp, bytes];
}

/** RFC 1071. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
