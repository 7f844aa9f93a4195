/**
 * Room for bytes that come and go. An array of more than 64 bytes lies outside V8's heap: making one costs as much as
 * hashing 300 bytes, and as much again when it is collected. So room that is given back serves others, and messages share
 * arrays.
 *
 * Law: who gives room back was its only owner and has wiped the secrets in it. Nothing from here reaches a host, which
 * could transfer the memory below; a provider's hash reads in it and keeps nothing.
 */

/** What is lent again: the messages of most handshakes without certificates fit. */
const ROOM = 1024;
/** Room that nobody has, as much as for some handshakes at a time. */
const spare: Uint8Array[] = [];
const MAX_SPARE = 16;

/**
 * Room for `length` bytes at least, with anything in it, for whoever gives it back or, in need, does not. What is longer has
 * some to spare, so that what grows by a message at a time is not copied for each.
 */
export function takeRoom(length: number): Uint8Array {
  return length > ROOM ? new Uint8Array(length + ROOM) : (spare.pop() ?? new Uint8Array(ROOM));
}

/** Gives back what `takeRoom` gave; what is not lent again is left to the garbage collector. */
export function giveRoom(room: Uint8Array): void {
  if (room.length === ROOM && spare.length < MAX_SPARE) spare.push(room);
}

/** The array of which the next pieces are cut, a quarter at most. It stands for as long as one of them does. */
const SLAB = 2048;
let slab: Uint8Array = /* @__PURE__ */ new Uint8Array(0);
let cut = 0;

/** An array of `length` zeros for a message of a handshake, which is soon gone. It is not given back. */
export function takePiece(length: number): Uint8Array {
  if (length <= 64 || length > SLAB / 4) return new Uint8Array(length);
  if (cut + length > slab.length) {
    slab = new Uint8Array(SLAB);
    cut = 0;
  }
  return slab.subarray(cut, (cut += length));
}
