import 'reflect-metadata'; // @peculiar/x509 does not load without it
import { generateKeyPairSync, randomBytes, type webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const year = 365 * 24 * 3_600_000;

/** Who a certificate names. Kubernetes reads `user` (CN) as the user and `groups` (O) as its groups. */
export interface Subject {
  readonly user: string;
  readonly groups?: readonly string[];
  /** Host names and addresses under which a server may be reached; makes it a server's certificate too. */
  readonly hosts?: readonly string[];
}

export interface KeyPairFiles {
  readonly cert: string;
  readonly key: string;
}

const privatePem = async (key: webcrypto.CryptoKey): Promise<string> => {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key));
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
};

/** The cluster's own certificate authority, kept below `<dir>/pki`. Every connection of the cluster is verified by it. */
export class Authority {
  readonly dir: string;
  readonly ca: KeyPairFiles;
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(dir: string, ca: KeyPairFiles, certificate: x509.X509Certificate, key: webcrypto.CryptoKey) {
    this.dir = dir;
    this.ca = ca;
    this.#certificate = certificate;
    this.#key = key;
  }

  /** Opens the authority of `dir`, or makes it. */
  static async open(dir: string): Promise<Authority> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const ca = { cert: join(dir, 'ca.crt'), key: join(dir, 'ca.key') };
    if (!existsSync(ca.cert)) {
      const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        ...validity(),
        name: 'CN=longshore-local-cluster',
        signingAlgorithm: algorithm,
        keys,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      writeFileSync(ca.key, await privatePem(keys.privateKey), { mode: 0o600 });
      writeFileSync(ca.cert, certificate.toString('pem'));
    }
    const der = x509.PemConverter.decodeFirst(readFileSync(ca.key, 'utf8'));
    const key = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
    return new Authority(dir, ca, new x509.X509Certificate(readFileSync(ca.cert, 'utf8')), key);
  }

  /** Writes `<name>.crt` and `<name>.key` for a subject and returns their paths. */
  async issue(name: string, subject: Subject): Promise<KeyPairFiles> {
    const files = { cert: join(this.dir, `${name}.crt`), key: join(this.dir, `${name}.key`) };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const hosts = (subject.hosts ?? []).map((host) => ({
      type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const),
      value: host,
    }));
    const usages = [x509.ExtendedKeyUsage.clientAuth, ...(hosts.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : [])];
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(),
      subject: [...(subject.groups ?? []).map((group) => ({ O: [group] })), { CN: [subject.user] }],
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate),
        ...(hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension(hosts)] : []),
      ],
    });
    writeFileSync(files.key, await privatePem(keys.privateKey), { mode: 0o600 });
    writeFileSync(files.cert, certificate.toString('pem'));
    return files;
  }
}

/** An hour's slack backwards for clocks that differ; a year ahead, for a cluster left running. */
function validity() {
  // A serial number is a positive integer: its first bit must be 0.
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f;
  return {
    serialNumber: serial.toString('hex'),
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + year),
  };
}

/** The key pair that signs service account tokens: no certificate belongs to it. */
export function serviceAccountKey(dir: string): { readonly privateKey: string; readonly publicKey: string } {
  const files = { privateKey: join(dir, 'service-account.key'), publicKey: join(dir, 'service-account.pub') };
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(files.privateKey, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  writeFileSync(files.publicKey, publicKey.export({ type: 'spki', format: 'pem' }));
  return files;
}
