/**
 * The scratch that all AEADs of this provider share: a call has it to itself, an idle instance owns none.
 *
 * Law: the workspace is all zero between calls (see `../aead.ts`). The tag need not be: it stands on the wire.
 */
import { Workspace } from '../aead.js';

/** Additional data and payload of the record at hand. Grows to the largest record seen. */
export const workspace: Workspace = /* @__PURE__ */ new Workspace(2048);

/** The tag of the record at hand, as four words of the machine… */
export const tag: Int32Array = /* @__PURE__ */ new Int32Array(4);

/** …and as bytes. */
export const tagBytes: Uint8Array = /* @__PURE__ */ new Uint8Array(tag.buffer);

/** Whether its first `length` bytes stand at `sealed[at…]`, in time that depends on the length alone. */
export function tagStands(sealed: Uint8Array, at: number, length: number): boolean {
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= tagBytes[i]! ^ sealed[at + i]!;
  return difference === 0;
}
