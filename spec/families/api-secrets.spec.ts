/**
 * API-09 and API-10, secrets: every key is overwritten once it is not needed, whatever way a handshake ends; and no
 * key, premaster, master secret or plaintext stands in any error, event, counter or print.
 */
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Aead, composeProvider, DTLS_EVENT_CONNECTED, type Hash, type Hmac, nobleProvider, type Provider, PSK_AES_128_CCM_8, type PskInfoType, type RunningHash,
} from '../../lib/index.js';
import { Handshake12 } from '../../lib/handshake12/handshake.js';
import { ECDHE_PSK_AES_128_CCM_8_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { AlertDescription } from '../../lib/wire/registry.js';
import { settled } from '../states/places.js';
import { EcdhePskPeer } from '../support/ephemeral.js';
import { associationOf } from '../support/inside.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import {
  establish, establishClient, fetchCookie, ScriptedPeer, takeClientFlight, takeServerFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

const PLAINTEXT = text('attack at dawn, says the general');

/** Watches what a provider is given: every key, and whether everything it made was wiped. */
class Watch {
  /** Keys of HMACs (secrets of PRFs, cookies, stand-ins) and of AEADs, as the engine passed them. */
  readonly keys: Uint8Array[] = [];
  readonly copies: Uint8Array[] = [];
  alive = 0;

  readonly provider: Provider = composeProvider('watched', nobleProvider, {
    hashes: { sha256: this.#hash(nobleProvider.hashes.sha256!) },
    aeads: { 'aes-128-ccm-8': { ...nobleProvider.aeads['aes-128-ccm-8']!, create: (key) => this.#counted(nobleProvider.aeads['aes-128-ccm-8']!.create(this.#note(key))) } },
  });

  #hash(hash: Hash): Hash {
    return { ...hash, start: () => this.#counted<RunningHash>(hash.start()), hmac: (key) => this.#counted<Hmac>(hash.hmac(this.#note(key))) };
  }

  #note(key: Uint8Array): Uint8Array {
    this.keys.push(key);
    this.copies.push(key.slice());
    return key;
  }

  /** The instance, counted until it is wiped. */
  #counted<T extends Aead | Hmac | RunningHash>(instance: T): T {
    this.alive++;
    const wipe = instance.wipe.bind(instance);
    let wiped = false;
    instance.wipe = () => {
      if (!wiped) this.alive--;
      wiped = true;
      wipe();
    };
    return instance;
  }

  /** How many keys still stand in memory as they were. */
  get standing(): number {
    return this.keys.filter((key) => key.some((byte) => byte !== 0)).length;
  }
}

/** Every answer that the engine copied, as it keeps it. */
const answers: Uint8Array[] = [];
const { answer } = Handshake12.prototype;
Handshake12.prototype.answer = function (this: Handshake12, answered, bytes): void {
  if (bytes !== null && equal(bytes, KEY)) answers.push(bytes);
  answer.call(this, answered, bytes);
};

type End = (rig: Rig, session: typeof CLIENT) => void;
const ENDS: Readonly<Record<string, End>> = {
  reset: (rig, session) => rig.context.getPeer(session) && rig.context.resetPeer(rig.context.getPeer(session)!),
  close: (rig, session) => (rig.context.close(session), rig.runOut()),
  timeout: (rig) => rig.runOut(),
  free: (rig) => rig.context.free(),
};

/** The steps of a handshake; after `steps` of them it is cut off. */
function upTo(steps: number, role: 'client' | 'server', watch: Watch): Rig {
  const rig = new Rig({ crypto: watch.provider, cipherSuites: [PSK_AES_128_CCM_8] });
  const peer = new ScriptedPeer(role === 'server' ? 'client' : 'server');
  const server = [
    () => fetchCookie(rig, peer),
    () => rig.feed(CLIENT, peer.clientHello()),
    () => takeServerFlight(peer, rig.takeSent()),
    () => rig.feed(CLIENT, peer.clientKeyExchange()),
    () => (peer.deriveKeys(), rig.feed(CLIENT, peer.changeCipherSpec())),
    () => rig.feed(CLIENT, peer.applicationData(PLAINTEXT, { sequence: 5 })),
    () => rig.feed(CLIENT, peer.finished()),
    () => rig.context.write(CLIENT, PLAINTEXT),
  ];
  const client = [
    () => rig.context.connect(SERVER),
    () => toServerFlight(rig, peer),
    () => rig.feed(SERVER, peer.serverHello()),
    () => rig.feed(SERVER, join(peer.serverKeyExchange(text('hint')), peer.serverHelloDone())),
    () => (takeClientFlight(peer, rig.takeSent()), rig.feed(SERVER, peer.changeCipherSpec())),
    () => rig.feed(SERVER, peer.applicationData(PLAINTEXT, { sequence: 5 })),
    () => rig.feed(SERVER, peer.finished()),
    () => rig.context.write(SERVER, PLAINTEXT),
  ];
  for (const step of (role === 'server' ? server : client).slice(0, steps)) step();
  return rig;
}

test('API-09 however a handshake or an association ends, at any step, every key it had is overwritten and every cipher wiped', () => {
  for (const role of ['server', 'client'] as const) {
    for (const [name, end] of Object.entries(ENDS)) {
      for (let steps = 1; steps <= 8; steps++) {
        const where = `${role}, ${steps} steps, ${name}`;
        const watch = new Watch();
        answers.length = 0;
        const rig = upTo(steps, role, watch);
        const session = role === 'server' ? CLIENT : SERVER;
        // An association that is established has no timeout.
        if (name === 'timeout' && steps >= 7) continue;
        end(rig, session);
        assert.is(watch.standing, 0, where);
        assert.ok(answers.every((key) => key.every((byte) => byte === 0)), where);
        // The secrets of the context itself (cookies, stand-in keys) live as long as it does.
        const own = name === 'free' ? 0 : role === 'server' ? (steps >= 4 ? 2 : 1) : 0;
        assert.is(watch.alive, own, `${where}: ciphers and hashes alive`);
        assert.equal([rig.context.stats().heldBytes, rig.context.stats().deadlines], [0, 0], where);
      }
    }
  }
});

test('API-09 when the handshake is complete nothing of it stands any more but the two ciphers', () => {
  for (const role of ['server', 'client'] as const) {
    const watch = new Watch();
    answers.length = 0;
    const rig = upTo(8, role, watch);
    assert.is(rig.codes.includes(DTLS_EVENT_CONNECTED), true);
    assert.ok(watch.keys.length >= 4, 'the watch sees keys');
    assert.ok(watch.copies.every((key) => key.some((byte) => byte !== 0)));
    assert.is(answers.length, 1);
    assert.equal([watch.standing, answers[0]], [0, new Uint8Array(16)]);
    assert.is(watch.alive, role === 'server' ? 4 : 2);
    assert.is(associationOf(rig, role === 'server' ? CLIENT : SERVER)!.making, null);
  }
});

test('API-09 a public value that is not valid leaves no copy of the pre-shared key, in either role', () => {
  for (const role of ['server', 'client'] as const) {
    const rig = new Rig({ cipherSuites: [ECDHE_PSK_AES_128_CCM_8_SHA256] });
    const peer = new EcdhePskPeer(role === 'server' ? 'client' : 'server');
    peer.share.publicKey.fill(0);
    answers.length = 0;
    if (role === 'server') {
      toServerHelloDone(rig, peer);
      rig.feed(CLIENT, peer.clientKeyExchange());
    } else {
      rig.context.connect(SERVER);
      toServerFlight(rig, peer);
      rig.feed(SERVER, join(peer.serverHello(), peer.serverKeyExchange(text('hint')), peer.serverHelloDone()));
    }
    assert.equal([rig.fatal, answers], [[AlertDescription.illegalParameter], [new Uint8Array(16)]], role);
  }
});

test('API-09 a reconnecting client leaves no key of the association it replaced', () => {
  const watch = new Watch();
  const rig = new Rig({ crypto: watch.provider, cipherSuites: [PSK_AES_128_CCM_8] });
  for (let round = 0; round < 20; round++) {
    establish(rig, new ScriptedPeer('client', { seed: round }));
    assert.equal([watch.standing, watch.alive], [0, 4], `${round}`);
  }
});

/** Everything a run tells: events, errors, counters, prints. */
interface Told {
  readonly lines: string[];
  readonly secrets: Uint8Array[];
}

function tell({ lines }: Told, rig: Rig): void {
  const print = (value: unknown): void => {
    lines.push(inspect(value), String(value));
    for (let error = value; error instanceof Error; error = error.cause) lines.push(error.message, error.stack ?? '', JSON.stringify(error));
  };
  for (const { detail } of rig.events) if (detail !== undefined) print(detail);
  for (const error of rig.errors) print(error);
  lines.push(JSON.stringify(rig.context.stats()));
  for (const session of [CLIENT, SERVER]) {
    const peer = rig.context.getPeer(session);
    if (peer !== undefined) lines.push(inspect(peer), inspect(peer.session), inspect(rig.context));
  }
}

function attempt(told: Told, rig: Rig, work: () => void): void {
  try {
    work();
  } catch (error) {
    told.lines.push((error as Error).message, (error as Error).stack ?? '', inspect(error));
  }
  tell(told, rig);
}

/** The bytes as somebody might print them. */
function spellings(secret: Uint8Array): string[] {
  const buffer = Buffer.from(secret);
  return [buffer.toString('hex'), buffer.toString('base64'), buffer.toString('latin1'), [...secret].join(','), [...secret].join(', '), [...buffer.toString('hex').matchAll(/../g)].join(' ')]
    .map((spelling) => spelling.slice(0, 24));
}

test('API-10 in no error, event, counter or print of any run stands a key, a secret of the handshake or plaintext', async () => {
  const told: Told = { lines: [], secrets: [KEY, PLAINTEXT] };
  const watch = new Watch();
  const options = { crypto: watch.provider, cipherSuites: [PSK_AES_128_CCM_8] };
  // Every step of a handshake, met by every message, cut off in every way.
  for (const role of ['server', 'client'] as const) {
    const session = role === 'server' ? CLIENT : SERVER;
    for (let steps = 1; steps <= 8; steps++) {
      for (const type of [0, 1, 2, 3, 11, 12, 14, 16, 20, 99]) {
        const rig = upTo(steps, role, watch);
        const peer = new ScriptedPeer('client');
        peer.messageSeq = steps;
        attempt(told, rig, () => {
          rig.feed(session, peer.message(type, join(KEY, PLAINTEXT)));
          rig.feed(session, peer.record(21, Uint8Array.of(2, 40)));
          rig.feed(session, peer.record(23, PLAINTEXT));
          rig.runOut();
        });
      }
    }
  }
  // Hosts that err with the secret in their hands.
  const hosts: ((type: PskInfoType) => unknown)[] = [
    () => KEY.toString(), (type) => (type === 'key' ? new Uint8Array(0) : IDENTITY), (type) => (type === 'key' ? join(KEY, new Uint8Array(70_000)) : IDENTITY),
    (type) => (type === 'identity' ? join(KEY, new Uint8Array(2000)) : KEY), (type) => (type === 'hint' ? join(KEY, new Uint8Array(2000)) : KEY), () => Promise.resolve(`${KEY}`),
    () => ({ key: KEY }),
  ];
  for (const host of hosts) {
    const rig = new Rig(options, { getPskInfo: (_, __, type) => host(type) as never });
    const client = new ScriptedPeer('client');
    attempt(told, rig, () => establish(rig, client));
    const other = new Rig(options, { getPskInfo: (_, __, type) => host(type) as never });
    attempt(told, other, () => establishClient(other));
    await settled();
    tell(told, rig);
    tell(told, other);
  }
  // Wrong keys, data that is too large or unexpected, and an association that lives.
  const wrong = new Rig(options);
  toServerHelloDone(wrong, new ScriptedPeer('client'));
  const liar = new ScriptedPeer('client', { psk: text('liar liar'), identity: text('device-1') });
  attempt(told, wrong, () => (establish(wrong, liar), wrong.runOut()));
  const living = new Rig(options);
  const peer = establish(living);
  attempt(told, living, () => living.context.write(CLIENT, join(...Array<Uint8Array>(600).fill(PLAINTEXT))));
  attempt(told, living, () => living.feed(CLIENT, peer.message(20, PLAINTEXT, { epoch: 1 })));
  attempt(told, living, () => living.feed(CLIENT, peer.record(21, PLAINTEXT, { epoch: 1 })));
  living.context.setHandler({ write: () => {}, read: () => { throw new Error('a host that throws'); } });
  attempt(told, living, () => living.feed(CLIENT, peer.applicationData(PLAINTEXT)));

  const all = searchable(told.lines);
  assert.ok(told.lines.length > 1000 && all.includes('ERR_DTLS_CREDENTIAL') && all.includes('ERR_DTLS_TOO_LARGE'), 'the runs tell something');
  const secrets = [...told.secrets, ...watch.copies.filter(({ length }) => length >= 16)];
  assert.ok(secrets.length > 100);
  for (const spelling of new Set(secrets.flatMap(spellings))) assert.not.ok(all.includes(spelling), spelling);
});

/** The lines as they are, and with the spaces that a print puts between numbers made even. */
function searchable(lines: readonly string[]): string {
  const all = lines.join('\n');
  return `${all}\n${all.replace(/[ \n]+/g, ' ')}`;
}

test('API-10 the search finds a secret, however it is printed', () => {
  const bytes = Buffer.from(KEY);
  const prints = [inspect(KEY), inspect(bytes), String(KEY), bytes.toString('hex'), bytes.toString('base64'), bytes.toString('latin1'), JSON.stringify([...KEY])];
  for (const print of prints) assert.ok(spellings(KEY).some((spelling) => searchable([print]).includes(spelling)), print);
});

test.run();
