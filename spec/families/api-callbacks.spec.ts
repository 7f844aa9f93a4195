/**
 * API-01 and API-02, careless hosts: callbacks that throw, and callbacks that call back into the engine (close, reset,
 * free, connect, write, handleMessage) at every point of a handshake and after it. Nothing escapes, nothing is left
 * half-done, nobody is told of what is gone, and the next handshake works.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, type DtlsContext, type DtlsHandler, type Session } from '../../lib/index.js';
import { CLIENT, equal, IDENTITY, KEY, Rig, SERVER, text } from '../support/rig.js';

const CALLBACKS = ['write', 'read', 'event', 'getPskInfo', 'getUserParameters', 'schedule'] as const;
type Callback = (typeof CALLBACKS)[number];
type RoleName = 'client' | 'server';

/** Called at the start of each callback of one side. */
type Hook = (name: Callback, session: Session | null, context: DtlsContext) => void;

/** A context whose callbacks all pass through `hook`, and which answers each record it reads, once. */
function hooked(hook: Hook, withError: boolean): Rig {
  const handler: Partial<DtlsHandler> = {
    write: (context, session, bytes) => {
      hook('write', session, context);
      rig.sent.push({ session, bytes: bytes.slice(), at: rig.now });
    },
    read: (context, session, data) => {
      hook('read', session, context);
      rig.reads.push({ session, bytes: data.slice() });
      if (data[0] === 0x3f && context.getPeer(session)?.state === 'connected') context.write(session, text('!'));
    },
    event: (context, session, level, code, detail) => {
      rig.events.push({ session, level, code, detail, at: rig.now });
      hook('event', session, context);
    },
    getPskInfo: (context, session, type, description) => {
      hook('getPskInfo', session, context);
      return type === 'identity' ? IDENTITY : type === 'key' && equal(description, IDENTITY) ? KEY : null;
    },
    getUserParameters: (context, session) => void hook('getUserParameters', session, context),
    schedule: (context) => hook('schedule', null, context),
  };
  const rig: Rig = new Rig({}, withError ? handler : { ...handler, error: undefined as never });
  return rig;
}

/** A client and a server with a wire between them and one clock. */
class Pair {
  readonly client: Rig;
  readonly server: Rig;
  freed: Rig | null = null;
  readonly #tolerant: boolean;

  constructor(role: RoleName, hook: Hook, withError: boolean = true) {
    this.client = hooked(role === 'client' ? hook : () => {}, withError);
    this.server = hooked(role === 'server' ? hook : () => {}, withError);
    this.#tolerant = !withError;
  }

  /** Runs the story: connect, a question each way with its answer, and a close; time passes until nothing waits. */
  play(): void {
    this.#call(this.client, () => this.client.context.connect(SERVER));
    this.#settle();
    this.#call(this.client, () => this.client.context.write(SERVER, text('?')));
    this.#call(this.server, () => this.server.context.getPeer(CLIENT) && this.server.context.write(CLIENT, text('?')));
    this.#settle();
    this.#call(this.client, () => this.client.context.close(SERVER));
    this.#settle();
  }

  /** Whether a new handshake works: new question, new answer. */
  works(): boolean {
    for (const rig of [this.client, this.server]) {
      for (const session of [CLIENT, SERVER]) {
        const peer = rig.context.getPeer(session);
        if (peer !== undefined) this.#call(rig, () => rig.context.resetPeer(peer));
      }
    }
    this.#settle();
    const before = this.client.reads.length;
    this.#call(this.client, () => this.client.context.connect(SERVER));
    this.#settle();
    this.#call(this.client, () => this.client.context.write(SERVER, text('?')));
    this.#settle();
    return equal(this.client.reads[before]?.bytes ?? text(''), text('!'));
  }

  #settle(): void {
    for (let round = 0; round < 400; round++) {
      if (this.client.sent.length + this.server.sent.length > 0) {
        for (const { bytes } of this.client.sent.splice(0)) this.#call(this.server, () => this.server.feed(CLIENT, bytes));
        for (const { bytes } of this.server.sent.splice(0)) this.#call(this.client, () => this.client.feed(SERVER, bytes));
        continue;
      }
      let next = Infinity;
      for (const rig of [this.client, this.server]) this.#call(rig, () => (next = Math.min(next, rig.context.checkRetransmit() || Infinity)));
      if (this.client.sent.length + this.server.sent.length > 0) continue;
      if (next === Infinity) return;
      this.client.now = this.server.now = Math.max(next, this.client.now);
    }
    assert.unreachable('the story does not end');
  }

  #call(rig: Rig, work: () => unknown): void {
    if (rig === this.freed) return;
    try {
      work();
    } catch (error) {
      const { message, code, stack } = error as Error & { code?: string };
      // A freed context says so. What getUserParameters throws reaches the caller of connect in any case.
      if (rig === this.freed && code === 'ERR_DTLS_FREED') return;
      if (message === 'of the host' && (this.#tolerant || stack?.includes('getUserParameters') === true)) return;
      throw error;
    }
  }
}

/** What can be counted adds up: peers, deadlines, bytes. */
function expectConsistent(rig: Rig, what: string): void {
  const { halfOpen, established, deadlines, heldBytes } = rig.context.stats();
  const peers = [CLIENT, SERVER].filter((session) => rig.context.getPeer(session) !== undefined).length;
  assert.is(halfOpen + established, peers, `${what}: peers`);
  assert.ok(deadlines <= peers, `${what}: deadlines`);
  if (peers === 0) assert.is(heldBytes, 0, `${what}: held bytes`);
}

/** Does `act` at the n-th call of `name`. */
function onNth(name: Callback, n: number, act: (session: Session | null, context: DtlsContext) => void): { hook: Hook; happened: () => boolean } {
  let count = 0;
  return {
    happened: () => count >= n,
    hook: (called, session, context) => {
      if (called === name && ++count === n) act(session, context);
    },
  };
}

/** Runs the story for each side, each callback and each of its calls, as often as it happens. */
function everywhere(what: string, act: (session: Session | null, context: DtlsContext) => void, after: (pair: Pair, rig: Rig, where: string) => void, withError: boolean = true): void {
  let moments = 0;
  for (const role of ['client', 'server'] as const) {
    for (const name of CALLBACKS) {
      for (let n = 1; n <= 12; n++) {
        const { hook, happened } = onNth(name, n, act);
        const pair = new Pair(role, hook, withError);
        pair.play();
        if (!happened()) break;
        moments++;
        after(pair, pair[role], `${what} in ${name} ${n} of the ${role}`);
      }
    }
  }
  assert.ok(moments > 30, `${moments} moments`);
}

test('API-02 the story by itself: a handshake, data both ways, a close', () => {
  const pair = new Pair('client', () => {});
  pair.play();
  for (const rig of [pair.client, pair.server]) {
    assert.equal(rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length, 1);
    assert.equal(rig.reads.map(({ bytes }) => bytes[0]).sort(), [0x21, 0x3f]);
    expectConsistent(rig, 'the story');
    assert.is(rig.context.stats().deadlines, 0);
  }
  assert.is(pair.works(), true);
});

test('API-01 a callback that throws, wherever it is, is told to `error` and leaves nothing half-done', () => {
  everywhere('throw', () => { throw new Error('of the host'); }, (pair, rig, where) => {
    assert.ok(rig.errors.some((error) => (error as Error).message === 'of the host') || where.includes('getUserParameters'), where);
    expectConsistent(pair.client, where);
    expectConsistent(pair.server, where);
    assert.is(pair.works(), true, where);
  }, true);
});

test('API-01 without `error` it is thrown from the call in progress, and leaves nothing half-done', () => {
  everywhere('throw', () => { throw new Error('of the host'); }, (pair, rig, where) => {
    assert.ok(rig.context.stats().callbackErrors > 0 || where.includes('getUserParameters'), where);
    expectConsistent(pair.client, where);
    expectConsistent(pair.server, where);
    assert.is(pair.works(), true, where);
  }, false);
});

test('API-02 close from within any callback', () => {
  everywhere('close', (session, context) => void context.close(session ?? SERVER), (pair, _, where) => {
    expectConsistent(pair.client, where);
    expectConsistent(pair.server, where);
    assert.is(pair.works(), true, where);
  });
});

test('API-02 resetPeer from within any callback: of that peer nobody is told anything more', () => {
  for (const role of ['client', 'server'] as const) {
    for (const name of CALLBACKS) {
      for (let n = 1; n <= 12; n++) {
        const where = `reset in ${name} ${n} of the ${role}`;
        const session = role === 'client' ? SERVER : CLIENT;
        let gone = false;
        let later = 0;
        const { hook, happened } = onNth(name, n, (_, context) => {
          const peer = context.getPeer(session);
          if (peer === undefined) return;
          context.resetPeer(peer);
          gone = true;
        });
        const pair: Pair = new Pair(role, (called, from, context) => {
          if (gone && called === 'event' && pair[role].events.at(-1)!.code === DTLS_EVENT_CONNECT) gone = false;
          if (gone && (called === 'event' || called === 'read')) later++;
          hook(called, from, context);
        });
        pair.play();
        if (!happened()) break;
        assert.is(later, 0, where);
        expectConsistent(pair.client, where);
        expectConsistent(pair.server, where);
        gone = false;
        assert.is(pair.works(), true, where);
      }
    }
  }
});

test('API-02 free from within any callback: no callback after it', () => {
  for (const role of ['client', 'server'] as const) {
    for (const name of CALLBACKS) {
      for (let n = 1; n <= 12; n++) {
        const where = `free in ${name} ${n} of the ${role}`;
        let later = 0;
        let freed = false;
        const { hook, happened } = onNth(name, n, (_, context) => {
          context.free();
          freed = true;
          pair.freed = pair[role];
        });
        const pair: Pair = new Pair(role, (called, session, context) => {
          // The host may hear that its timer is not needed any more; of peers it hears nothing.
          if (freed && called !== 'schedule') later++;
          hook(called, session, context);
        });
        pair.play();
        if (!happened()) break;
        assert.is(later, 0, where);
        const { halfOpen, established, deadlines, heldBytes } = pair[role].context.stats();
        assert.equal([halfOpen, established, deadlines, heldBytes], [0, 0, 0, 0], where);
      }
    }
  }
});

test('API-02 connect from within any callback, but that which connecting calls itself', () => {
  everywhere('connect', (session, context) => void context.connect(session ?? SERVER), (pair, _, where) => {
    expectConsistent(pair.client, where);
    expectConsistent(pair.server, where);
    assert.is(pair.works(), true, where);
  });
});

test('API-02 connect to others from within any callback', () => {
  let port = 1;
  everywhere('connect elsewhere', (_, context) => void context.connect({ address: '192.0.2.222', port: port++ }), (pair, rig, where) => {
    const elsewhere = { address: '192.0.2.222', port: port - 1 };
    assert.is(rig.context.getPeer(elsewhere), undefined, `${where}: it has timed out, like any other`);
    assert.is(pair.works(), true, where);
  });
});

test('API-02 handleMessage from within any callback waits for its turn and disturbs nothing', () => {
  everywhere('feed', (session, context) => {
    const from = session ?? SERVER;
    for (const bytes of [new Uint8Array(0), new Uint8Array(40).fill(22), Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0)]) {
      assert.is(context.handleMessage(from, bytes), 0);
    }
  }, (pair, _, where) => {
    for (const rig of [pair.client, pair.server]) {
      expectConsistent(rig, where);
      assert.is(rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length, 1, where);
    }
    assert.is(pair.works(), true, where);
  });
});

test('API-02 write, checkRetransmit, setMtu, stats and setHandler from within any callback', () => {
  everywhere('write', (session, context) => {
    const to = session ?? SERVER;
    if (context.getPeer(to) !== undefined) context.write(to, text('more'));
    context.checkRetransmit();
    context.setMtu(to, 100);
    context.stats();
    context.renegotiate(to);
  }, (pair, _, where) => {
    for (const rig of [pair.client, pair.server]) {
      expectConsistent(rig, where);
      assert.is(rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length, 1, where);
    }
    assert.is(pair.works(), true, where);
  });
});

test.run();
