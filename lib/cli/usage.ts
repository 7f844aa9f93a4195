/**
 * The help texts, and the error that asks to read them.
 */

/** The command line cannot be meant as it stands: exit code 2. */
export class UsageError extends Error {}

/** What can be run. */
export type Command = 'serve' | 'connect' | 'demo' | 'keygen';

const OVERVIEW = `microdtls: DTLS 1.2 on the command line

  microdtls serve    [--listen HOST:PORT] KEYS [options]   a server
  microdtls connect  HOST:PORT KEYS [options]              a client
  microdtls demo     [options]                             both, on this machine, in each of the three ways
  microdtls keygen   [options]                             makes a key with a certificate, or with its public key

KEYS, in any of three ways    a server                    a client
  pre-shared keys             --psk IDENTITY:KEY          --psk IDENTITY:KEY
  raw public keys             --raw-key FILE              --trust-key FILE
  certificates                --cert FILE --key FILE      --ca FILE
                              and the options of the other side, if clients show a key too

  microdtls COMMAND --help    the options of a command
  microdtls --version         the version
`;

const KEYS = `
Pre-shared keys
  --psk IDENTITY:KEY     a pre-shared key; KEY is text, or hex:DIGITS (ID:hex:0011…). The last colon divides.
                         IDENTITY may be hex:DIGITS too. Other users of this machine can see it: prefer
  --psk-file FILE        lines of IDENTITY:KEY; blank lines and lines that begin with # do not count
  MICRODTLS_PSK          the environment variable, lines as in the file; used if no key is given otherwise

Certificates and raw public keys, beside --psk or instead of it (PEM or DER, no encrypted keys; keygen makes some)
  --cert FILE --key FILE the certificate to show, followed by those between it and its authority, and its private key
  --raw-key FILE         a private key whose bare public key is shown (RFC 7250)
  --ca FILE              believe certificates from these authorities, and these certificates; may be given again
  --crl FILE             refuse the certificates that this revocation list of an authority names; may be given again
  --trust-key FILE       believe this public key (PUBLIC KEY); may be given again
  --insecure             believe EVERY certificate and key: no protection from whoever is on the path; for tests only
`;

const COMMON = `  --suites A,B           cipher suites, best first: TLS_PSK_WITH_AES_128_CCM_8 or PSK_AES_128_CCM_8 (default: all
                         that there are keys for)
  --mtu N                UDP payload of handshake datagrams, 100 to 65507 (default 1232)
  --allow-no-ems         take peers without extended_master_secret (RFC 7627)
  --allow-no-renegotiation-info
                         take peers without renegotiation_info (RFC 5746)
  --json                 one JSON object a line on stdout for every event
  -v, --verbose          every datagram on stderr, as it comes and goes
  -h, --help             this text
`;

const BYTES = `Bytes that are no printable UTF-8 are shown as hex:DIGITS.`;

const SERVE = `microdtls serve [--listen HOST:PORT] (--psk IDENTITY:KEY | --cert FILE --key FILE | --raw-key FILE) [options]

Waits for clients. Prints what they send, and sends each line of stdin to the client that spoke last.
${KEYS}
Options
  --listen HOST:PORT     where to listen (default 127.0.0.1:5684; [::1]:5684 for IPv6; port 0: any that is free)
  --echo                 send back what arrives instead of printing it
  --hint HINT            the PSK identity hint for clients, text or hex:DIGITS
  --require-client-cert  refuse clients without a certificate or key that is believed; without this option those are
                         taken too, but what a client does show must be believed
  --timeout SECONDS      give up a handshake after this time (default 10)
${COMMON}
${BYTES}
Runs until Ctrl-C, which closes every association with close_notify; the exit code is 130 then. The exit code is 1 if
the server cannot listen, and 2 for arguments that cannot be meant.
`;

const CONNECT = `microdtls connect HOST:PORT (--psk IDENTITY:KEY | --ca FILE | --trust-key FILE) [options]

Connects, sends each line of stdin as one datagram and prints each datagram that arrives as a line. At the end of input
it waits for answers, closes with close_notify and exits.
${KEYS}
Options
  HOST:PORT              [::1]:5684 for IPv6; the port may be left out (5684)
  --server-name NAME     the name that the server's certificate must hold (default: HOST, if it is a name)
  --timeout SECONDS      for the handshake (default 10)
  --wait SECONDS         how long to wait for an answer at the end of input (default 2); with as many answers as
                         there were lines it does not wait for more
${COMMON}
${BYTES}
Exit codes: 0 at the end of input and if the peer closes in good order; 1 if the handshake or the association fails;
2 for arguments that cannot be meant; 130 after Ctrl-C, which closes with close_notify.
`;

const DEMO = `microdtls demo [options]

Runs a server and a client over UDP on this machine and shows what they say to each other: with a pre-shared key, with
raw public keys, with certificates. Keys and certificates are made for the occasion.

Options
  --suites A,B           cipher suites, best first; what they do not allow is not shown
  --mtu N                UDP payload of handshake datagrams, 100 to 65507 (default 1232): small ones show fragments
  -h, --help             this text
`;

const KEYGEN = `microdtls keygen [--out NAME] [--name DNS …] [--raw] [--days N]

Makes a P-256 key in NAME.key with a self-signed certificate in NAME.crt, and prints SHA-256 fingerprints. Files that are
there already are not overwritten (exit code 1).

Options
  --out NAME             the files' name (default microdtls)
  --name DNS             a DNS name, address or URI of the certificate (default localhost); may be given again
  --raw                  no certificate, but the bare public key in NAME.pub
  --days N               how long the certificate is good for, 1 to 36500 (default 365)
  -h, --help             this text
`;

const TEXTS: Readonly<Record<Command, string>> = { serve: SERVE, connect: CONNECT, demo: DEMO, keygen: KEYGEN };

/** The help of a command, or of all. */
export function helpText(command: Command | null): string {
  return command === null ? OVERVIEW : TEXTS[command];
}

/** The first line of the help, for the foot of an error. */
export function usageLine(command: Command | null): string {
  const usage = command === null ? 'microdtls serve | connect | demo | keygen [options]' : TEXTS[command].slice(0, TEXTS[command].indexOf('\n'));
  return `usage: ${usage}\n       microdtls ${command === null ? '' : `${command} `}--help`;
}
