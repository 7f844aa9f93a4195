/**
 * Asks servers with datagrams of its own making and names what comes back.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { classify, clientHello, sequenceOf, type AnswerClass, type HelloParts } from './hellos.js';
import { LOOPBACK } from './host.js';
import { Changes } from './waiting.js';

/** Where the cookie of a HelloVerifyRequest begins. */
const COOKIE_AT = 28;

/** How long silence is listened to where nothing tells that it is final. */
const SILENCE_MS = 300;

/** A socket that talks to one server. */
export class Prober {
  /** Bytes in both directions, as the server counts them. */
  readonly traffic: { received: number; sent: number } = { received: 0, sent: 0 };
  readonly #socket: Socket = createSocket('udp4');
  readonly #answers: Uint8Array[] = [];
  readonly #changes: Changes = new Changes();
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
    this.#socket.on('message', (bytes) => {
      this.traffic.sent += bytes.length;
      this.#answers.push(bytes);
      this.#changes.announce();
    });
  }

  /** Runs `work` with a prober of the server at `port`. */
  static async with<T>(port: number, work: (prober: Prober) => Promise<T>): Promise<T> {
    const prober = new Prober(port);
    prober.#socket.bind(0, LOOPBACK);
    await once(prober.#socket, 'listening');
    try {
      return await work(prober);
    } finally {
      prober.#socket.close();
    }
  }

  /**
   * What a datagram to a server without state comes to. Silence is known without a wait: a good ClientHello goes after
   * the datagram, servers answer in order, and the answer to that one carries its record number.
   */
  async answerTo(datagram: Uint8Array): Promise<AnswerClass> {
    const sequence = 0x123456;
    this.#send(datagram);
    this.#send(clientHello({ sequence }));
    const last = await this.#changes.until('the answer to a good ClientHello', () => {
      return this.#answers.find((answer) => sequenceOf(answer) === sequence);
    });
    const answer = this.#answers[0] === last ? null : this.#answers[0]!;
    if (answer === null || sequenceOf(answer) === sequenceOf(datagram)) return classify(answer);
    return `something else: record number ${sequenceOf(answer)}`; // RFC 6347 §4.2.1: that of the ClientHello
  }

  /** What a ClientHello comes to that brings back the cookie for itself. */
  async answerWithCookie(parts: HelloParts, expected: AnswerClass): Promise<AnswerClass> {
    this.#send(clientHello(parts));
    const request = await this.#next('a HelloVerifyRequest');
    const cookie = [request.length - COOKIE_AT, ...request.subarray(COOKIE_AT)];
    this.#send(clientHello({ messageSeq: 1, sequence: 1, ...parts, cookie }));
    const answer = this.#next(`the answer ${expected}`, expected === 'silence' ? SILENCE_MS : undefined);
    return classify(expected === 'silence' ? await answer.catch(() => null) : await answer);
  }

  async #next(what: string, limitMs?: number): Promise<Uint8Array> {
    return this.#changes.until(what, () => this.#answers.shift(), limitMs);
  }

  #send(datagram: Uint8Array): void {
    this.traffic.received += datagram.length;
    this.#socket.send(datagram, this.#port, LOOPBACK);
  }
}
