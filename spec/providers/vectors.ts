/**
 * Published known answers, each with its source. Only those with the parameters of our suites: 12-byte nonces, tags of
 * 8 or 16 bytes.
 */
import type { AeadName, HashName } from '../../lib/crypto/provider.js';

/** One sealing. All in hexadecimal. */
export interface AeadVector {
  readonly source: string;
  readonly aead: AeadName;
  readonly key: string;
  readonly nonce: string;
  readonly aad: string;
  readonly plain: string;
  /** Ciphertext ‖ tag. */
  readonly sealed: string;
}

const MCGREW_KEY = 'feffe9928665731c6d6a8f9467308308';
const MCGREW_NONCE = 'cafebabefacedbaddecaf888';
const MCGREW_AAD = 'feedfacedeadbeeffeedfacedeadbeefabaddad2';
const MCGREW_PLAIN =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
  '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39';
const MCGREW_128 =
  '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
  '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091';
const MCGREW_256 =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662';

/** AEAD known answers. */
export const AEAD_VECTORS: readonly AeadVector[] = [
  {
    source: 'NIST SP 800-38C, example 3',
    aead: 'aes-128-ccm-8',
    key: '404142434445464748494a4b4c4d4e4f',
    nonce: '101112131415161718191a1b',
    aad: '000102030405060708090a0b0c0d0e0f10111213',
    plain: '202122232425262728292a2b2c2d2e2f3031323334353637',
    sealed: 'e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5 484392fbc1b09951',
  },
  {
    source: 'Wycheproof aes_ccm_test, case 1',
    aead: 'aes-128-ccm',
    key: 'bedcfb5a011ebc84600fcb296c15af0d',
    nonce: '438a547a94ea88dce46c6c85',
    aad: '',
    plain: '',
    sealed: '25d1a38495a7dea45bda049705627d10',
  },
  {
    source: 'Wycheproof aes_ccm_test, case 8',
    aead: 'aes-128-ccm',
    key: '3fd50741ec47ddbfc2fc090975d154f0',
    nonce: 'eef1a6e651321852f0b25a31',
    aad: '',
    plain: 'd6f6a9a24db6a7a6176d4362639c4fd77f70f3e089dd940086e12a9becbaf97f82',
    sealed: '532694bb2851ea7f3bdd37c4e806be5b953ea79d08100e74af3fa67eca8890db28 9e1acee688848bca454c6d04753d3c7d',
  },
  {
    source: 'Wycheproof aes_ccm_test, case 17',
    aead: 'aes-128-ccm',
    key: '1a44f3550688fddbc1e5041dc98952c0',
    nonce: '5d2904298f668ba95eaa1797',
    aad: 'd55908958b70abee81054cdf3d3df5',
    plain: '',
    sealed: '5c71b4f069cfa13b7634db4b13e7be7d',
  },
  {
    source: 'Wycheproof aes_ccm_test, case 29',
    aead: 'aes-128-ccm',
    key: '20bbf74c1e63982c472c4743569e4c84',
    nonce: '459fc7c004bf46323a02d846',
    aad: '4f2285ce3dafa528c694a5272d3b7b929097db398772653bd9bbbdb3b2c8e1',
    plain: '6db50992e8fbbee15d4979d3e322dacd',
    sealed: '8703e44697138c58532d97ee99231d94 f14c2f39a4871a4a16c42f6fe878deef',
  },
  {
    source: 'Wycheproof aes_ccm_test, case 169',
    aead: 'aes-256-ccm',
    key: 'f60c6a1b625725f76c7037b48fe3577fa7f7b87b1bd5a982176d182306ffb870',
    nonce: 'f0384fb876121410633d993d',
    aad: '9aaf299eeea78f79',
    plain: '63858ca3e2ce69887b578a3c167b421c9c',
    sealed: 'f05e290bbbc61927fa65760648dcca88b0 b721be96a6b95c0931fb243dd1287c70',
  },
  {
    source: 'Wycheproof aes_ccm_test, case 187',
    aead: 'aes-256-ccm',
    key: '3f494fd8f1b50692de9ce33f6d451ef0c58c6b2c6ffba3b41710ff63e67eda68',
    nonce: '9e628e5803519290e6b2c68a',
    aad:
      'd02ec892d3b03eacb2f1d8a60a028485776af0fd6665cb6f74fba5ef897e2cf5' +
      '4b32e80bddeec938ab530b45ed971234804fa84a191dc11ae660f5a8662a4651e9',
    plain: 'f2c41a26a438e9ff733b7828f24a2449',
    sealed: '1d9f4256e08466560ab271de3621a03f 81dbe38ac751127efc11caedeca9c93b',
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 1',
    aead: 'aes-128-gcm',
    key: '00000000000000000000000000000000',
    nonce: '000000000000000000000000',
    aad: '',
    plain: '',
    sealed: '58e2fccefa7e3061367f1d57a4e7455a',
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 2',
    aead: 'aes-128-gcm',
    key: '00000000000000000000000000000000',
    nonce: '000000000000000000000000',
    aad: '',
    plain: '00000000000000000000000000000000',
    sealed: '0388dace60b6a392f328c2b971b2fe78 ab6e47d42cec13bdf53a67b21257bddf',
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 3',
    aead: 'aes-128-gcm',
    key: MCGREW_KEY,
    nonce: MCGREW_NONCE,
    aad: '',
    plain: `${MCGREW_PLAIN}1aafd255`,
    sealed: `${MCGREW_128}473f5985 4d5c2af327cd64a62cf35abd2ba6fab4`,
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 4',
    aead: 'aes-128-gcm',
    key: MCGREW_KEY,
    nonce: MCGREW_NONCE,
    aad: MCGREW_AAD,
    plain: MCGREW_PLAIN,
    sealed: `${MCGREW_128} 5bc94fbc3221a5db94fae95ae7121a47`,
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 13',
    aead: 'aes-256-gcm',
    key: '0000000000000000000000000000000000000000000000000000000000000000',
    nonce: '000000000000000000000000',
    aad: '',
    plain: '',
    sealed: '530f8afbc74536b9a963b4f1c4cb738b',
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 14',
    aead: 'aes-256-gcm',
    key: '0000000000000000000000000000000000000000000000000000000000000000',
    nonce: '000000000000000000000000',
    aad: '',
    plain: '00000000000000000000000000000000',
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 15',
    aead: 'aes-256-gcm',
    key: MCGREW_KEY + MCGREW_KEY,
    nonce: MCGREW_NONCE,
    aad: '',
    plain: `${MCGREW_PLAIN}1aafd255`,
    sealed: `${MCGREW_256}898015ad b094dac5d93471bdec1a502270e3cc6c`,
  },
  {
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 16',
    aead: 'aes-256-gcm',
    key: MCGREW_KEY + MCGREW_KEY,
    nonce: MCGREW_NONCE,
    aad: MCGREW_AAD,
    plain: MCGREW_PLAIN,
    sealed: `${MCGREW_256} 76fc6ece0f4e1768cddf8853bb2d551b`,
  },
  {
    source: 'RFC 8439 §2.8.2',
    aead: 'chacha20-poly1305',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plain:
      '4c616469657320616e642047656e746c656d656e206f662074686520636c6173' +
      '73206f66202739393a204966204920636f756c64206f6666657220796f75206f' +
      '6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73' +
      '637265656e20776f756c642062652069742e',
    sealed:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b6116 1ae10b594f09e26a7e902ecbd0600691',
  },
];

/** One digest. `message` is text. */
export interface HashVector {
  readonly source: string;
  readonly hash: HashName;
  readonly message: string;
  readonly digest: string;
}

const TWO_BLOCKS_256 = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq';
const TWO_BLOCKS_384 =
  'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu';

/** The examples that NIST publishes for FIPS 180-4. */
export const HASH_VECTORS: readonly HashVector[] = [
  { source: 'FIPS 180-4, empty message', hash: 'sha256', message: '', digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  { source: 'FIPS 180-4, one block', hash: 'sha256', message: 'abc', digest: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
  { source: 'FIPS 180-4, two blocks', hash: 'sha256', message: TWO_BLOCKS_256, digest: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1' },
  {
    source: 'FIPS 180-4, one block',
    hash: 'sha384',
    message: 'abc',
    digest: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  },
  {
    source: 'FIPS 180-4, two blocks',
    hash: 'sha384',
    message: TWO_BLOCKS_384,
    digest: '09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039',
  },
];

/** One HMAC with each hash. All in hexadecimal. */
export interface HmacVector {
  readonly source: string;
  readonly key: string;
  readonly data: string;
  readonly sha256: string;
  readonly sha384: string;
}

/** RFC 4231 §4, without case 5, whose output is cut. */
export const HMAC_VECTORS: readonly HmacVector[] = [
  {
    source: 'RFC 4231 §4.2',
    key: '0b'.repeat(20),
    data: '4869205468657265',
    sha256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    sha384: 'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
  },
  {
    source: 'RFC 4231 §4.3',
    key: '4a656665',
    data: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    sha384: 'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  },
  {
    source: 'RFC 4231 §4.4',
    key: 'aa'.repeat(20),
    data: 'dd'.repeat(50),
    sha256: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
    sha384: '88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27',
  },
  {
    source: 'RFC 4231 §4.5',
    key: '0102030405060708090a0b0c0d0e0f10111213141516171819',
    data: 'cd'.repeat(50),
    sha256: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    sha384: '3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb',
  },
  {
    source: 'RFC 4231 §4.7',
    key: 'aa'.repeat(131),
    data: '54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374',
    sha256: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    sha384: '4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952',
  },
  {
    source: 'RFC 4231 §4.8',
    key: 'aa'.repeat(131),
    data:
      '5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e642061206c6172' +
      '676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520686173686564206265666f7265' +
      '206265696e6720757365642062792074686520484d414320616c676f726974686d2e',
    sha256: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    sha384: '6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e',
  },
];

/** One output of the PRF. All in hexadecimal but the label. */
export interface PrfVector {
  readonly source: string;
  readonly hash: HashName;
  readonly secret: string;
  readonly label: string;
  readonly seed: string;
  readonly output: string;
}

/** Known answers of the TLS 1.2 PRF. */
export const PRF_VECTORS: readonly PrfVector[] = [
  {
    source: 'IETF tls list, message fzVCzk-z3FShgGJ6DOXqM1ydxms',
    hash: 'sha256',
    secret: '9bbe436ba940f017b17652849a71db35',
    label: 'test label',
    seed: 'a0ba9f936cda311827a6f796ffd5198c',
    output:
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af' +
      '0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701' +
      '87347b66',
  },
  {
    source: 'IETF tls list, message 03416',
    hash: 'sha384',
    secret: 'b80b733d6ceefcdc71566ea48e5567df',
    label: 'test label',
    seed: 'cd665cf6a8447dd6ff8b27555edb7465',
    output:
      '7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0' +
      'e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425' +
      '9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070' +
      '3d73e56f',
  },
];

/** NIST's vectors for the TLS 1.2 key derivation, SHA-256 (CAVP; also in OpenSSL, evpkdf_tls12_prf.txt). */
export const KEY_DERIVATION_VECTOR: Readonly<
  Record<'premaster' | 'clientHelloRandom' | 'serverHelloRandom' | 'masterSecret' | 'serverRandom' | 'clientRandom' | 'keyBlock', string>
> = {
  premaster: 'f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bcadb386b411fd4fe4313a604fce6c17fbc',
  clientHelloRandom: '36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c',
  serverHelloRandom: 'f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce',
  masterSecret: '202c88c00f84a17a20027079604787461176455539e705be730890602c289a5001e34eeb3a043e5d52a65e66125188bf',
  serverRandom: 'ae6c806f8ad4d80784549dff28a4b58fd837681a51d928c3e30ee5ff14f39868',
  clientRandom: '62e1fd91f23f558a605f28478c58cf72637b89784d959df7e946d3f07bd1b616',
  keyBlock:
    'd06139889fffac1e3a71865f504aa5d0d2a2e89506c6f2279b670c3e1b74f531016a2530c51a3a0f7e1d6590d0f0566b' +
    '2f387f8d11fd4f731cdd572d2eae927f6f2f81410b25e6960be68985add6c38445ad9f8c64bf8068bf9a6679485d966f' +
    '1ad6f68b43495b10a683755ea2b858d70ccac7ec8b053c6bd41ca299d4e51928',
};

/** One derivation with the extended master secret (RFC 7627). All in hexadecimal. */
export interface ExtendedMasterSecretVector {
  readonly source: string;
  readonly hash: HashName;
  readonly premaster: string;
  readonly sessionHash: string;
  readonly masterSecret: string;
  readonly serverRandom: string;
  readonly clientRandom: string;
  readonly keyBlock: string;
}

/** NIST's sample vectors of ACVP (usnistgov/ACVP-Server, gen-val/json-files/TLS-v1.2-KDF-RFC7627/internalProjection.json). */
export const EXTENDED_MASTER_SECRET_VECTORS: readonly ExtendedMasterSecretVector[] = [
  {
    source: 'NIST ACVP, TLS 1.2 KDF (RFC 7627), tcId 1',
    hash: 'sha256',
    premaster: '8252b983a6459a6fb3b9debe8725247e276139ebf7c9adccdd7d240f3ada7f5e3351b2769b6c8dc169a6d799c3c0ffeb',
    sessionHash: '1359d7df74cb27c67f74c98d521d442b887eaf0decf6e382c62434d6c3dd7d0d',
    masterSecret: '43a5e821fcf5446c712207f7cd161ed213ee3b9d001d418c57231befd596b583ecd55ab2c4456b02738698f90bc59ac0',
    serverRandom: '50e0a1a1fd64a55259781a5c22580a81f99799c32f52d3f48d2c10c5c692e289',
    clientRandom: 'abe7af69affc5e0944f4009b3e7abd1cc0a5cce8db055eff4a509e5b6de9475a',
    keyBlock:
      '4886e75be82dd4fb73c540729072d3e29b93c164e1cffe071f1212b1237b98dc0b0a5895f331f7180ceb30b17bb8c3e9' +
      '2a074b26325ff975237dbd22320c0b88d64931f39c777b1527d36a999ad5fe5ee7f53fc42a509beb22634b17ec7b768e' +
      'af6a87977cf8670b34d0a76ebce6a659dab6c15b4b86b98b9a63c50bbe1e2a09',
  },
  {
    source: 'NIST ACVP, TLS 1.2 KDF (RFC 7627), tcId 24',
    hash: 'sha384',
    premaster: '96c1afea34fb496508d94d05fe84fb08afb8940d4d04ed756f848855fe1f67c45192b0fee13a7bdfc4f5ec7d41a0ca50',
    sessionHash: 'be204981d3b8bc3f32f56316f9416d2bc5844f8c0b99168d774b942b02d88bc24bb6a7e890cb3145c7bcd6ba557d140b',
    masterSecret: 'bb5dc357e4322aea9e59d2349fdf4c6477e8c0f35863d20a8caf9d2d04f06c68818ffdf1385a99af182f1684dd94147e',
    serverRandom: '509cfbfd30c9127bd658a6e47b26c2818ff5519b0f31c9036cee24dddc78daf6',
    clientRandom: '43f578db6fc2a6965f35bc667a6406adf53bb03da3c706c8776abfd75f72b093',
    keyBlock:
      '0553cf4792432d943be0e37c7a700c5e26aeabf31889a4c9e603039857fe41192bb7375416ed97a3e39bdc42ad3f861f' +
      '17fb3ed54c9c059151070fd524c8571da8f85ea33c64f29e381001eaa3a06a843c0a378c6fc114ba9ad52e3d09a62a5d' +
      '944be8511880691ebbd3bf8d72f80a9d5febd511c51c0fc38d7123b13f8c38f3',
  },
];

/** Packet vectors 1 and 2 of RFC 3610 §8, whose nonces are a byte longer than ours: for the twin that everything else is measured by. */
export const CCM_PACKET_VECTORS: readonly Readonly<Record<'nonce' | 'plain' | 'sealed', string>>[] = [
  {
    nonce: '00000003020100a0a1a2a3a4a5',
    plain: '08090a0b0c0d0e0f101112131415161718191a1b1c1d1e',
    sealed: '588c979a61c663d2f066d0c2c0f989806d5f6b61dac384 17e8d12cfdf926e0',
  },
  {
    nonce: '00000004030201a0a1a2a3a4a5',
    plain: '08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    sealed: '72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3b a091d56e10400916',
  },
];
