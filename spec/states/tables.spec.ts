/**
 * The state tables of the DTLS 1.2 handshake by themselves: every state × every message, both roles; what is not in
 * a row is unexpected_message and changes nothing; the rows are those of the RFCs and all of them are reached.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SignatureScheme } from '../../lib/crypto/keys.js';
import { verifyData } from '../../lib/crypto/prf12.js';
import type { CipherSuite } from '../../lib/crypto/suites.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { Answered, handlerOf, type Out, type Question } from '../../lib/handshake/machine.js';
import { ecdheEcdsa } from '../../lib/handshake12/certified.js';
import { startClient } from '../../lib/handshake12/client.js';
import { ecdhePsk } from '../../lib/handshake12/ecdhepsk.js';
import { Handshake12 } from '../../lib/handshake12/handshake.js';
import { psk } from '../../lib/handshake12/psk.js';
import { clientStates, serverStates, tablesOf } from '../../lib/handshake12/states.js';
import { writeHelloVerifyRequest } from '../../lib/message/hello.js';
import { ECDHE_ECDSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { ECDHE_PSK_AES_128_CCM_8_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { PSK_AES_128_CCM_8 } from '../../lib/suites/psk.js';
import { PeerError } from '../../lib/wire/errors.js';
import { AlertDescription, HandshakeType } from '../../lib/wire/registry.js';
import { credentialOf, holder, trustIn } from '../support/holders.js';
import { KEY, IDENTITY, text } from '../support/rig.js';
import { CRYPTO } from './places.js';

type RoleName = 'client' | 'server';

const TABLES = tablesOf([psk, ecdhePsk, ecdheEcdsa]);
const ROLES = ['client', 'server'] as const;
/** Every message type of the wire, every answer, and some numbers beyond. */
const EVERYTHING = [...Array.from({ length: 256 }, (_, type) => type), ...Object.values(Answered), 0x106, 0x1ff, -1, 65_536];

/**
 * The order of messages as RFC 6347 §4.2.4, RFC 4279 §2, RFC 5489 §2 and RFC 5246 §7.3 have it, written down apart from
 * the code. Where more than one state may follow, the suite or what was asked decides.
 */
const RFC: Readonly<Record<RoleName, Readonly<Record<string, Readonly<Record<number, string>>>>>> = {
  client: {
    waitServerHello: { 3: 'waitServerHello', 2: 'waitPskServerKeyExchange|waitEcdhePskServerKeyExchange|waitCertificate' },
    waitPskServerKeyExchange: { 12: 'waitPskServerHelloDone', 14: 'askPskIdentity' },
    waitPskServerHelloDone: { 14: 'askPskIdentity' },
    askPskIdentity: { [Answered.pskIdentity]: 'askPskKey' },
    askPskKey: { [Answered.pskKey]: 'waitFinished' },
    waitEcdhePskServerKeyExchange: { 12: 'waitEcdhePskServerHelloDone' },
    waitEcdhePskServerHelloDone: { 14: 'askEcdhePskIdentity' },
    askEcdhePskIdentity: { [Answered.pskIdentity]: 'askEcdhePskKey' },
    askEcdhePskKey: { [Answered.pskKey]: 'waitFinished' },
    waitCertificate: { 11: 'askServerTrust' },
    askServerTrust: { [Answered.trust]: 'waitServerKeyExchange' },
    waitServerKeyExchange: { 12: 'waitCertificateRequest' },
    waitCertificateRequest: { 13: 'waitServerHelloDone', 14: 'waitFinished' },
    waitServerHelloDone: { 14: 'askClientCredential|askClientSignature|waitFinished' },
    askClientCredential: { [Answered.credential]: 'askClientSignature' },
    askClientSignature: { [Answered.signature]: 'waitFinished' },
    waitFinished: { 20: 'connected' },
    connected: {},
  },
  server: {
    waitClientHello: { 1: 'askPskHint|askEcdhePskHint|askServerCredential|askServerSignature' },
    askPskHint: { [Answered.pskHint]: 'waitPskClientKeyExchange' },
    waitPskClientKeyExchange: { 16: 'askPskKey' },
    askPskKey: { [Answered.pskKey]: 'waitFinished' },
    askEcdhePskHint: { [Answered.pskHint]: 'waitEcdhePskClientKeyExchange' },
    waitEcdhePskClientKeyExchange: { 16: 'askEcdhePskKey' },
    askEcdhePskKey: { [Answered.pskKey]: 'waitFinished' },
    askServerCredential: { [Answered.credential]: 'askServerSignature' },
    askServerSignature: { [Answered.signature]: 'waitClientCertificate|waitClientKeyExchange' },
    waitClientCertificate: { 11: 'askClientTrust|waitClientKeyExchange' },
    askClientTrust: { [Answered.trust]: 'waitCertifiedClientKeyExchange' },
    waitClientKeyExchange: { 16: 'waitFinished' },
    waitCertifiedClientKeyExchange: { 16: 'waitCertificateVerify' },
    waitCertificateVerify: { 15: 'waitFinished' },
    waitFinished: { 20: 'connected' },
    connected: {},
  },
};

/** What a handshake is made with. */
interface Variant {
  readonly suite: CipherSuite;
  readonly verify?: boolean;
  readonly hint?: boolean;
  readonly clientAuthentication?: 'none' | 'request' | 'require';
  /** The client has no key to show. */
  readonly anonymous?: boolean;
  /** The hosts are asked what to show. */
  readonly asksCredential?: boolean;
}

/** One end of a handshake without records, timers or a host. */
class End implements Out {
  readonly handshake: Handshake12;
  readonly sent: { readonly type: number; readonly messageSeq: number; readonly body: Uint8Array }[] = [];
  question: Question | null = null;
  completed = false;
  #messageSeq = 0;
  #seed: number;

  constructor(role: RoleName, { suite, clientAuthentication = 'none', anonymous = false, asksCredential = false }: Variant) {
    this.#seed = role === 'client' ? 1 : 2;
    const parameters = {
      cipherSuites: [suite], forceExtendedMasterSecret: true, forceRenegotiationInfo: true,
      maxPskIdentityBytes: 1024, maxHelloVerifyRequests: 3, groups: ['x25519', 'secp256r1'] as const,
      signatureSchemes: [SignatureScheme.ecdsaSha256], ownTypes: [CertificateType.rawKey], asksCredential, serverName: null,
      credentials: anonymous && role === 'client' ? [] : [credentialOf(holder('rawKey', role), CRYPTO)],
      trust: trustIn(holder('rawKey', role === 'client' ? 'server' : 'client'), CRYPTO), clientAuthentication,
    };
    this.handshake = new Handshake12(role, TABLES[role], parameters, CRYPTO, this, () => new Uint8Array(32));
  }

  send(type: number, body: Uint8Array): number {
    this.sent.push({ type, messageSeq: this.#messageSeq, body: body.slice() });
    return this.#messageSeq++;
  }

  sendChangeCipherSpec(): void {}

  install(): void {}

  ask(question: Question): void {
    this.question = question;
  }

  complete(): void {
    this.completed = true;
  }

  wallClock(): number {
    return 0;
  }

  random(length: number): Uint8Array {
    return new Uint8Array(length).fill(this.#seed++);
  }
}

interface Edge {
  readonly role: RoleName;
  readonly from: string;
  readonly type: number;
  readonly to: string;
}

/** Runs both ends against each other. `before` is called ahead of every step of either end. */
function run(variant: Variant, before: (end: End, role: RoleName) => void): { edges: Edge[]; ends: Record<RoleName, End> } {
  const ends = { client: new End('client', variant), server: new End('server', variant) };
  const edges: Edge[] = [];
  const step = (role: RoleName, type: number, work: () => void): void => {
    const { handshake } = ends[role];
    before(ends[role], role);
    const from = handshake.state;
    work();
    edges.push({ role, from, type, to: handshake.state });
  };
  const answerTo = (question: Question): Uint8Array | null => {
    switch (question.answer) {
      case Answered.pskHint:
        return variant.hint === true ? text('hint') : null;
      case Answered.pskIdentity:
        return IDENTITY.slice();
      case Answered.pskKey:
        return KEY.slice();
      case Answered.signature:
        return question.choice.credential.signer.sign(question.choice.scheme, question.message) as Uint8Array;
      default:
        return null;
    }
  };
  const deliver = (from: RoleName, to: RoleName): void => {
    for (const { type, messageSeq, body } of ends[from].sent.splice(0)) {
      step(to, type, () => ends[to].handshake.step(type, messageSeq, body));
      for (let { question } = ends[to]; question !== null; { question } = ends[to]) {
        ends[to].question = null;
        const { answer } = question;
        const given = answerTo(question);
        step(to, answer, () => ends[to].handshake.answer(answer, given));
      }
    }
  };
  startClient(ends.client.handshake);
  if (variant.verify === true) {
    ends.client.sent.length = 0;
    const body = writeHelloVerifyRequest({ version: 0xfeff, cookie: text('cookie') });
    step('client', HandshakeType.helloVerifyRequest, () => ends.client.handshake.step(HandshakeType.helloVerifyRequest, 0, body));
  }
  for (let turn = 0; turn < 4; turn++) {
    deliver('client', 'server');
    deliver('server', 'client');
  }
  return { edges, ends };
}

const CERTIFIED = { suite: ECDHE_ECDSA_AES_128_GCM_SHA256 };
const VARIANTS: readonly Variant[] = [
  ...[PSK_AES_128_CCM_8, ECDHE_PSK_AES_128_CCM_8_SHA256].flatMap((suite) =>
    [false, true].flatMap((verify) => [false, true].map((hint) => ({ suite, verify, hint })))),
  CERTIFIED,
  { ...CERTIFIED, clientAuthentication: 'request', anonymous: true },
  { ...CERTIFIED, clientAuthentication: 'require' },
  { ...CERTIFIED, clientAuthentication: 'require', asksCredential: true },
];

test('the tables have the rows of the RFCs and no other', () => {
  for (const role of ROLES) {
    const rows = Object.fromEntries(Object.entries(TABLES[role]).map(([state, row]) => [state, Object.keys(row).map(Number).sort()]));
    assert.equal(rows, Object.fromEntries(Object.entries(RFC[role]).map(([state, row]) => [state, Object.keys(row).map(Number).sort()])));
  }
});

test('without a key exchange the tables are the hellos and Finished, which no key exchange changes', () => {
  for (const [role, shared] of [['client', clientStates], ['server', serverStates]] as const) {
    for (const [state, row] of Object.entries(shared)) assert.is(TABLES[role][state], row);
  }
  assert.equal(tablesOf([]), { client: clientStates, server: serverStates });
});

test('in every state every message and every answer has its handler or is unexpected_message', () => {
  let accepted = 0;
  for (const role of ROLES) {
    for (const state of Object.keys(TABLES[role])) {
      for (const type of EVERYTHING) {
        if (RFC[role][state]![type] !== undefined) {
          assert.type(handlerOf(TABLES[role], state, type), 'function');
          accepted++;
        } else {
          assert.throws(() => handlerOf(TABLES[role], state, type), isUnexpected, `${role} ${state} ${type}`);
        }
      }
    }
  }
  assert.is(accepted, 20 + 15);
});

test('a state that is no row takes nothing, whatever its name', () => {
  for (const state of ['start', '', 'toString', '__proto__', 'constructor']) {
    for (const type of EVERYTHING) assert.throws(() => handlerOf(TABLES.client, state, type), isUnexpected);
  }
});

test('an honest handshake takes each edge of the RFCs, and its variants together take them all', () => {
  const taken = new Set<string>();
  for (const variant of VARIANTS) {
    const { edges, ends } = run(variant, () => {});
    for (const { role, from, type, to } of edges) {
      assert.ok(RFC[role][from]?.[type]?.split('|').includes(to), `${role}: ${from} -${type}-> ${to}`);
      taken.add(`${role} ${from} ${type}`);
    }
    for (const role of ROLES) {
      assert.is(ends[role].handshake.state, 'connected');
      assert.is(ends[role].completed, true);
    }
    const [ours, theirs] = [ends.client, ends.server].map(({ handshake }) => verifyData(handshake.master!, 'client', new Uint8Array(32)));
    assert.equal(ours, theirs);
  }
  const all = ROLES.flatMap((role) => Object.entries(TABLES[role]).flatMap(([state, row]) => Object.keys(row).map((type) => `${role} ${state} ${type}`)));
  assert.equal([...taken].sort(), all.sort());
});

test('every state is reached from the first, and from every state there is a way to connected', () => {
  for (const role of ROLES) {
    const edges = VARIANTS.flatMap((variant) => run(variant, () => {}).edges).filter((edge) => edge.role === role);
    const reach = (start: string, next: (state: string) => string[]): Set<string> => {
      const seen = new Set([start]);
      for (const state of seen) for (const to of next(state)) seen.add(to);
      return seen;
    };
    const first = role === 'client' ? 'waitServerHello' : 'waitClientHello';
    const states = Object.keys(TABLES[role]).sort();
    const forth = reach(first, (state) => edges.filter(({ from }) => from === state).map(({ to }) => to));
    const back = reach('connected', (state) => edges.filter(({ to }) => to === state).map(({ from }) => from));
    assert.equal([...forth].sort(), states);
    assert.equal([...back].sort(), states);
  }
});

test('a message that is not in its row changes nothing: the handshake still completes after all of them', () => {
  for (const variant of VARIANTS) {
    let refused = 0;
    const { ends } = run(variant, (end, role) => {
      const { handshake } = end;
      const { state } = handshake;
      for (const type of EVERYTHING) {
        if (RFC[role][state]![type] !== undefined) continue;
        const sent = end.sent.length;
        assert.throws(() => handshake.step(type, 7, new Uint8Array(4)), isUnexpected, `${role} ${state} ${type}`);
        assert.is(handshake.state, state);
        assert.is(end.sent.length, sent);
        refused++;
      }
    });
    assert.ok(refused > 2000, String(refused));
    for (const role of ROLES) assert.is(ends[role].completed, true);
  }
});

test('after completion no message and no answer has a place', () => {
  const { ends } = run({ suite: PSK_AES_128_CCM_8, verify: true, hint: true }, () => {});
  for (const role of ROLES) {
    for (const type of EVERYTHING) assert.throws(() => ends[role].handshake.step(type, 9, new Uint8Array(12)), isUnexpected);
  }
});

function isUnexpected(error: unknown): boolean {
  return (
    error instanceof PeerError && error.code === 'ERR_DTLS_UNEXPECTED_MESSAGE' && error.alert === AlertDescription.unexpectedMessage
  );
}

test.run();
