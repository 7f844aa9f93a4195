/**
 * CRY-14: a selection of Project Wycheproof's test vectors, in its own form, with its own numbers (tcId).
 *
 * Source: https://github.com/C2SP/wycheproof, folder testvectors_v1, Apache-2.0 (Copyright Google LLC and the authors of
 * Project Wycheproof). Only the facts are here: inputs, results, what each is about in a few words. The whole sets are read
 * from a folder by wycheproof.spec.ts.
 */
import type { WycheproofFile, WycheproofTest } from './wycheproof.js';

type Fields = Readonly<Record<string, unknown>>;

const test = (tcId: number, result: WycheproofTest['result'], comment: string, fields: Fields): WycheproofTest => ({ tcId, result, comment, ...fields });

/** Tests that differ in one field, given as number, comment and that field. */
function each(result: WycheproofTest['result'], field: string, same: Fields, rows: readonly (readonly [number, string, string])[]): WycheproofTest[] {
  return rows.map(([tcId, comment, value]) => test(tcId, result, comment, { ...same, [field]: value }));
}

// AEAD.

const CCM: Fields = {
  key: '000102030405060708090a0b0c0d0e0f', iv: '505152535455565758595a5b', aad: '',
  msg: '202122232425262728292a2b2c2d2e2f', ct: '3ee9f3430f3e803c0a46b7a84cd803de',
};
const GCM: Fields = { ...CCM, ct: 'eb156d081ed6b6b55f4612f021d87b39' };
const CHACHA: Fields = {
  key: '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f', iv: '000102030405060708090a0b', aad: '000102',
  msg: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
  ct: 'd03bcb3ca52d48d1d203b1e7b1a5995af1a0466a61bb386a2e12d189a2c4ea15e9',
};

const AES_CCM: WycheproofFile = {
  algorithm: 'AES-CCM',
  testGroups: [{
    type: 'AeadTest', ivSize: 96, keySize: 128, tagSize: 128,
    tests: [
      test(2, 'valid', 'one byte', {
        key: '384ea416ac3c2f51a76e7d8226346d4e', iv: 'b30c084727ad1c592ac21d12', aad: '', msg: '35', ct: 'd7', tag: '6be3fd13b7065afc19e3b8a3b96b39fb',
      }),
      test(44, 'valid', 'nothing', { key: '30d8692eb3b62db6144f74ee9dec5296', iv: 'fe9f6fb4415cfb4189f9c76d', aad: '', msg: '', ct: '', tag: '804f915fc7fea2ca7d8baf1350c5227b' }),
      test(45, 'valid', 'additional data alone', {
        key: '21517fd9ebfd387dff2a0c0518ab8267', iv: '61f6c4ec9e2091d4a031804a', aad: '76d332ba081b3d3cfba271167ba108cd', msg: '', ct: '',
        tag: '2cc4b905a4d39e35d4beaebded9b5966',
      }),
      test(49, 'valid', 'both', {
        key: 'e3d3ec41f28eb35fb53f5fa91804e051', iv: '89d270fc8b583bc631cefd39', aad: '3d2f458c67c5b6c794b1f12dad409e0f',
        msg: '847acf521995b33f8bc474c8befbca3bb2', ct: '28aaec53493cd6252cf6410ed141bdafb7', tag: '47bf3e16c227ca11fd68a16d407c2cc3',
      }),
      test(0, 'valid', 'the tag before it was changed, which has no number', { ...CCM, tag: '3c6d5f66430ad65bb034077297f0929a' }),
      ...each('invalid', 'tag', CCM, [
        [52, 'bit 0 of the tag flipped', '3d6d5f66430ad65bb034077297f0929a'],
        [53, 'bit 1 of the tag flipped', '3e6d5f66430ad65bb034077297f0929a'],
        [54, 'bit 7 of the tag flipped', 'bc6d5f66430ad65bb034077297f0929a'],
        [55, 'bit 8 of the tag flipped', '3c6c5f66430ad65bb034077297f0929a'],
        [56, 'bit 31 of the tag flipped', '3c6d5fe6430ad65bb034077297f0929a'],
        [57, 'bit 32 of the tag flipped', '3c6d5f66420ad65bb034077297f0929a'],
        [58, 'bit 33 of the tag flipped', '3c6d5f66410ad65bb034077297f0929a'],
        [59, 'bit 63 of the tag flipped', '3c6d5f66430ad6dbb034077297f0929a'],
        [60, 'bit 64 of the tag flipped', '3c6d5f66430ad65bb134077297f0929a'],
        [61, 'bit 71 of the tag flipped', '3c6d5f66430ad65b3034077297f0929a'],
        [62, 'bit 77 of the tag flipped', '3c6d5f66430ad65bb014077297f0929a'],
        [63, 'bit 80 of the tag flipped', '3c6d5f66430ad65bb034067297f0929a'],
        [64, 'bit 96 of the tag flipped', '3c6d5f66430ad65bb034077296f0929a'],
        [65, 'bit 97 of the tag flipped', '3c6d5f66430ad65bb034077295f0929a'],
      ]),
    ],
  }],
};

const AES_GCM: WycheproofFile = {
  algorithm: 'AES-GCM',
  testGroups: [{
    type: 'AeadTest', ivSize: 96, keySize: 128, tagSize: 128,
    tests: [
      test(39, 'valid', 'a tag of ones', {
        key: '00112233445566778899aabbccddeeff', iv: '000000000000000000000000', aad: '', msg: 'ebd4a3e10cf6d41c50aeae007563b072',
        ct: 'f62d84d649e56bc8cfedc5d74a51e2f7', tag: 'ffffffffffffffffffffffffffffffff',
      }),
      test(40, 'valid', 'a tag of zeros', {
        key: '00112233445566778899aabbccddeeff', iv: 'ffffffffffffffffffffffff', aad: '', msg: 'd593c4d8224f1b100c35e4f6c4006543',
        ct: '431f31e6840931fd95f94bf88296ff69', tag: '00000000000000000000000000000000',
      }),
      test(0, 'valid', 'the tag before it was changed, which has no number', { ...GCM, tag: 'd8847dbc326a06e988c77ad3863e6083' }),
      ...each('invalid', 'tag', GCM, [
        [41, 'bit 0 of the tag flipped', 'd9847dbc326a06e988c77ad3863e6083'],
        [43, 'bit 7 of the tag flipped', '58847dbc326a06e988c77ad3863e6083'],
        [45, 'bit 31 of the tag flipped', 'd8847d3c326a06e988c77ad3863e6083'],
        [48, 'bit 63 of the tag flipped', 'd8847dbc326a066988c77ad3863e6083'],
        [49, 'bit 64 of the tag flipped', 'd8847dbc326a06e989c77ad3863e6083'],
        [51, 'bit 77 of the tag flipped', 'd8847dbc326a06e988e77ad3863e6083'],
        [53, 'bit 96 of the tag flipped', 'd8847dbc326a06e988c77ad3873e6083'],
        [56, 'bit 120 of the tag flipped', 'd8847dbc326a06e988c77ad3863e6082'],
        [59, 'bit 127 of the tag flipped', 'd8847dbc326a06e988c77ad3863e6003'],
        [60, 'bits 0 and 64 of the tag flipped', 'd9847dbc326a06e989c77ad3863e6083'],
        [63, 'the whole tag flipped', '277b8243cd95f9167738852c79c19f7c'],
        [64, 'a tag of zeros', '00000000000000000000000000000000'],
        [65, 'a tag of ones', 'ffffffffffffffffffffffffffffffff'],
        [66, 'the highest bits of the tag flipped', '5804fd3cb2ea86690847fa5306bee003'],
        [67, 'the lowest bits of the tag flipped', 'd9857cbd336b07e889c67bd2873f6182'],
      ]),
    ],
  }],
};

const CHACHA20_POLY1305: WycheproofFile = {
  algorithm: 'CHACHA20-POLY1305',
  testGroups: [{
    type: 'AeadTest', ivSize: 96, keySize: 256, tagSize: 128,
    tests: [
      test(92, 'valid', 'one byte of additional data', {
        key: '7d00b48095adfa3272050607b264185002ba99957c498be022770f2ce2f3143c', iv: '87345f1055fd9e2102d50656', aad: '02',
        msg: 'e5ccaa441bc814688f8f6e8f28b500b2', ct: '7e72f5a185af16a611921b438f749f0b', tag: '1242c670732334029adfe1c5001651e4',
      }),
      test(103, 'valid', 'additional data as long as that of a record', {
        key: 'bd534f7adeca466844fb3ba34658be807f15c5291ed6026860a24f179b712c89', iv: '412c3e13ee1f7864bd15ce39', aad: '2866afff0bcc6135dc63af88c8',
        msg: 'd92f8ce5d8d0ad2eb5f11af02ef63949', ct: '89d6d089c4a255952aca11b24a01ff95', tag: 'f88fa4531204da315e7317970240ce9e',
      }),
      test(0, 'valid', 'the tag before it was changed, which has no number', { ...CHACHA, tag: '66405a16e8b44eba92aa47f5cea52b7a' }),
      ...each('invalid', 'tag', CHACHA, [
        [191, 'bit 32 of the tag flipped', '66405a16e9b44eba92aa47f5cea52b7a'],
        [192, 'bit 33 of the tag flipped', '66405a16eab44eba92aa47f5cea52b7a'],
        [193, 'bit 63 of the tag flipped', '66405a16e8b44e3a92aa47f5cea52b7a'],
        [194, 'bit 64 of the tag flipped', '66405a16e8b44eba93aa47f5cea52b7a'],
        [195, 'bit 77 of the tag flipped', '66405a16e8b44eba928a47f5cea52b7a'],
        [197, 'bit 96 of the tag flipped', '66405a16e8b44eba92aa47f5cfa52b7a'],
        [199, 'bit 120 of the tag flipped', '66405a16e8b44eba92aa47f5cea52b7b'],
        [202, 'bit 127 of the tag flipped', '66405a16e8b44eba92aa47f5cea52bfa'],
        [203, 'bits 63 and 127 of the tag flipped', '66405a16e8b44e3a92aa47f5cea52bfa'],
        [204, 'a tag of zeros', '00000000000000000000000000000000'],
        [205, 'a tag of ones', 'ffffffffffffffffffffffffffffffff'],
      ]),
    ],
  }],
};

// Key agreement.

const P256_EDGE = '0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a';
const P256_INVALID: Fields = { private: '7e4aa54f714bf01df85c50269bea3a86721f84afe74f7b41ea58abcf3474e88d', shared: '' };
const P384_INVALID: Fields = { private: '00c6cafb74e2a50c82c7a63d13294bfea13d0bc504ba2b08a392c9081bf3815d9e44d969ed7f05ffd1d8594355053c6147', shared: '' };
/** Field elements of P-256 and P-384 as the invalid points have them: 0, 1, p − 1 and p. */
const F256 = ['00'.repeat(32), `${'00'.repeat(31)}01`, `ffffffff00000001${'00'.repeat(12)}${'ff'.repeat(11)}fe`, `ffffffff00000001${'00'.repeat(12)}${'ff'.repeat(12)}`] as const;
const F384 = [
  '00'.repeat(48), `${'00'.repeat(47)}01`, `${'ff'.repeat(31)}feffffffff0000000000000000fffffffe`, `${'ff'.repeat(31)}feffffffff0000000000000000ffffffff`,
] as const;

/** The sixteen points made of these coordinates, none of them on the curve, from this number on. */
function offCurve(first: number, field: readonly string[], same: Fields): WycheproofTest[] {
  const rows = field.flatMap((x) => field.map((y) => `04${x}${y}`)).map((point, index) => [first + index, 'not on the curve', point] as const);
  return each('invalid', 'public', same, rows);
}

const ECDH_P256: WycheproofFile = {
  algorithm: 'ECDH',
  testGroups: [{
    type: 'EcdhEcpointTest', curve: 'secp256r1',
    tests: [
      test(1, 'valid', 'normal', {
        public: '0462d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26ac333a93a9e70a81cd5a95b5bf8d13990eb741c8c38872b4a07d275a014e30cf',
        private: '0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346',
        shared: '53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285',
      }),
      test(2, 'acceptable', 'a compressed point', {
        flags: ['CompressedPublic', 'CompressedPoint'], public: '0362d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26',
        private: '0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346',
        shared: '53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285',
      }),
      test(3, 'valid', 'the x of the secret is 0', {
        public: '0458fd4168a87795603e2b04390285bdca6e57de6027fe211dd9d25e2212d29e62080d36bd224d7405509295eed02a17150e03b314f96da37445b0d1d29377d12c',
        private: P256_EDGE, shared: '00'.repeat(32),
      }),
      test(4, 'valid', 'the x of the secret is p − 3', {
        public: '04a1ecc24bf0d0053d23f5fd80ddf1735a1925039dc1176c581a7e795163c8b9ba2cb5a4e4d5109f4527575e3137b83d79a9bcb3faeff90d2aca2bed71bb523e7e',
        private: P256_EDGE, shared: 'ffffffff00000001000000000000000000000000fffffffffffffffffffffffc',
      }),
      test(5, 'valid', 'the secret starts with zeros', {
        public: '041b0e7437c33d379929430d3ec10df59bed7fe2a1d950c5791e1e9ddeef1f4d70fbdb0e3bbce63a27f27838c685207f2ccaf689d25eb622744db1168ac92619e8',
        private: P256_EDGE, shared: `${'00'.repeat(29)}010000`,
      }),
      test(330, 'valid', 'CVE-2017-8932', {
        public: '04023819813ac969847059028ea88a1f30dfbcde03fc791d3a252c6b41211882eaf93e4ae433cc12cf2a43fc0ef26400c0e125508224cdb649380f25479148a4ad',
        private: '2a265f8bcbdcaf94d58519141e578124cb40d64a501fba9c11847b28965bc737',
        shared: '4d4de80f1534850d261075997e3049321a0864082d24a917863366c0724f5ae3',
      }),
      ...offCurve(332, F256, P256_INVALID),
      test(348, 'invalid', 'nothing', { ...P256_INVALID, public: '' }),
      test(349, 'invalid', 'a compressed point that does not exist', {
        public: '02fd4bf61763b46581fd9174d623516cf3c81edd40e29ffa2777fb6cb0ae3ce535',
        private: '6f953faff3599e6c762d7f4cabfeed092de2add1df1bc5748c6cbb725cf35458', shared: '',
      }),
      test(350, 'invalid', 'of low order on the twist', {
        public: '03efdde3b32872a9effcf3b94cbf73aa7b39f9683ece9121b9852167f4e3da609b',
        private: '00d27edf0ff5b6b6b465753e7158370332c153b468a1be087ad0f490bdb99e5f02', shared: '',
      }),
    ],
  }],
};

const ECDH_P384: WycheproofFile = {
  algorithm: 'ECDH',
  testGroups: [{
    type: 'EcdhEcpointTest', curve: 'secp384r1',
    tests: [
      test(344, 'valid', 'an edge case of doubling', {
        public:
          '041aeae1a5c65755e3b847b899874cba5f1987ce2d6f3ee02056420922f8488ff0d3f9db41e0e327d78b1cf90f9bafa3ce' +
          'a0741772fc57ffba992a3b4c9e45e1ed98adb68fc18ca99b168093bdbfafdec95ab6544a6207b49581836e43c4ab1565',
        private: '00c1781d86cac2c052b7e4f48cef415c5c133052f4e504397e75e4d7cd0ca149da0b4988b8a6ded5ceae4b580691376187',
        shared: '7e03c945cf47092c63b1cb5aa95a9673a5e23ef6aa10953ec658e238686f4d54f948cea2a7d9daf725e34c139f004eb3',
      }),
      ...offCurve(773, F384, P384_INVALID),
      test(789, 'invalid', 'nothing', { ...P384_INVALID, public: '' }),
      test(790, 'invalid', 'a compressed point that does not exist', {
        public: '024424530ea70bace90601f8d5869e4179a6cd689b6a18fdfec50cecf17cb836d24820211ada67815b42c2c2606303f69e',
        private: '2b9e57572da6cf4fb58cb94eab8df19383a136f219f2a515776a8bf48e1538dd1d811946c16d9f0184c9ce5cdf1dac51', shared: '',
      }),
    ],
  }],
};

const LOW_ORDER: Fields = { flags: ['SmallPublicKey', 'LowOrderPublic', 'SpecialPublicKey', 'ZeroSharedSecret'], shared: '00'.repeat(32) };

const X25519: WycheproofFile = {
  algorithm: 'XDH',
  testGroups: [{
    type: 'XdhComp', curve: 'curve25519',
    tests: [
      test(1, 'valid', 'normal', {
        public: '504a36999f489cd2fdbc08baff3d88fa00569ba986cba22548ffde80f9806829', private: 'c8a9d5a91091ad851c668b0736c1c9a02936c0d3ad62670858088047ba057475',
        shared: '436a2c040cf45fea9b29a0cb81b1f41458f863d0d61b453d0a982720d6d61320',
      }),
      test(2, 'acceptable', 'on the twist', {
        flags: ['Twist'], public: '63aa40c6e38346c5caf23a6df0a5e6c80889a08647e551b3563449befcfc9733',
        private: 'd85d8c061a50804ac488ad774ac716c3f5ba714b2712e048491379a500211958', shared: '279df67a7c4611db4708a0e8282b195e5ac0ed6f4b2f292c6fbd0acac30d1332',
      }),
      test(7, 'acceptable', '2, on the twist', {
        flags: ['Twist', 'SpecialPublicKey'], public: `02${'00'.repeat(31)}`, private: 'd03edde9f3e7b799045f9ac3793d4a9277dadeadc41bec0290f81f744f73775f',
        shared: 'b87a1722cc6c1e2feecb54e97abd5a22acc27616f78f6e315fd2b73d9f221e57',
      }),
      test(32, 'acceptable', '0', { ...LOW_ORDER, public: '00'.repeat(32), private: '88227494038f2bb811d47805bcdf04a2ac585ada7f2f23389bfd4658f9ddd45e' }),
      test(33, 'acceptable', '1', { ...LOW_ORDER, public: `01${'00'.repeat(31)}`, private: '48232e8972b61c7e61930eb9450b5070eae1c670475685541f0476217e48184f' }),
      test(34, 'valid', '4', {
        public: `04${'00'.repeat(31)}`, private: 'a8386f7f16c50731d64f82e6a170b142a4e34f31fd7768fcb8902925e7d1e25a',
        shared: '34b7e4fa53264420d9f943d15513902342b386b172a0b0b7c8b8f2dd3d669f59',
      }),
      test(53, 'valid', 'near p', {
        public: `ed${'ff'.repeat(28)}7fff7f`, private: 'd806a735d138efb3b404683c9d84485ab4af540d0af253b574323d8913003c66',
        shared: 'ddbd56d0454b794c1d1d4923f023a51f6f34ef3f4868e3d6659307c683c74126',
      }),
    ],
  }],
};

// Signatures.

const MSG = '313233343030';
const R = '02202ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18';
const S = 'b329f479a2bbd0a5c384ee1493b1f5186a87139cac5df4087c134b49156847db';
const N = '022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const N_LESS_1 = '022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550';
const P = '022100ffffffff00000001000000000000000000000000ffffffffffffffffffffffff';

const ECDSA_P256: WycheproofFile = {
  algorithm: 'ECDSA',
  testGroups: [
    {
      type: 'EcdsaVerify', sha: 'SHA-256',
      publicKey: {
        curve: 'secp256r1',
        uncompressed: '0404aaec73635726f213fb8a9e64da3b8632e41495a944d0045b522eba7240fad587d9315798aaa3a5ba01775787ced05eaaf7b4e09fc81d6d1aa546e8365d525d',
      },
      tests: [
        test(1, 'valid', 'of nothing', {
          msg: '', sig: '3045022100b292a619339f6e567a305c951c0dcbcc42d16e47f219f9e98e76e09d8770b34a02200177e60492c5a8242f76f07bfe3661bde59ec2a17ce5bd2dab2abebdf89a62e2',
        }),
        test(3, 'valid', 'both with a leading zero', {
          msg: MSG, sig: '3046022100a8ea150cb80125d7381c4c1f1da8e9de2711f9917060406a73d7904519e51388022100f3ab9fa68bd47973a73b2d40480c2ba50c22c9d76ec217257288293285449b86',
        }),
      ],
    },
    {
      type: 'EcdsaVerify', sha: 'SHA-256',
      publicKey: {
        curve: 'secp256r1',
        uncompressed: '042927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e',
      },
      tests: [
        test(5, 'valid', 'n − s', { msg: MSG, sig: `3044${R}02204cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76` }),
        test(7, 'valid', 'normal', { msg: MSG, sig: `3045${R}022100${S}` }),
        ...each('invalid', 'sig', { msg: MSG }, [
          [6, 's without its leading zero', `3044${R}0220${S}`],
          [8, 'the length of the sequence in the long form', `308145${R}022100${S}`],
          [9, 'the length of the sequence with a leading zero', `30820045${R}022100${S}`],
          [10, 'the sequence longer than its content', `3046${R}022100${S}`],
          [11, 'the sequence shorter than its content', `3044${R}022100${S}`],
          [12, 'a length beyond 32 bits', `30850100000045${R}022100${S}`],
          [13, 'a length beyond 64 bits', `3089010000000000000045${R}022100${S}`],
          [14, 'a length of 2^31 − 1', `30847fffffff${R}022100${S}`],
          [18, 'a length of 2^64 − 1', `3088ffffffffffffffff${R}022100${S}`],
          [126, 's of indefinite length', `3045${R}028000${S}`],
          [127, 'zeros after s', `3047${R}022300${S}0000`],
          [128, 'zeros before s', `3047${R}0223000000${S}`],
          [129, 'a null at the end of s', `3047${R}022300${S}0500`],
          [133, 's ends with its length', `3024${R}0281`],
          [137, 'a null for s', `3024${R}0500`],
          [141, 'octets for s', `3045${R}042100${S}`],
          [143, 'an empty s', `3024${R}0200`],
          [145, 'another first byte of s', `3045${R}022102${S}`],
          [147, 's cut', `3044${R}022000${S.slice(0, -2)}`],
          [166, 's − 2^256 for r', `30450220${S}022100${S}`],
          [168, 'r 0, s 0', '3006020100020100'],
          [169, 'r 0, s 1', '3006020100020101'],
          [170, 'r 0, s −1', '30060201000201ff'],
          [171, 'r 0, s n', `3026020100${N}`],
          [172, 'r 0, s n − 1', `3026020100${N_LESS_1}`],
          [174, 'r 0, s p', `3026020100${P}`],
          [176, 'r 1, s 0', '3006020101020100'],
          [177, 'r 1, s 1', '3006020101020101'],
          [178, 'r 1, s −1', '30060201010201ff'],
          [179, 'r 1, s n', `3026020101${N}`],
          [186, 'r −1, s −1', '30060201ff0201ff'],
          [192, 'r n, s 0', `3026${N}020100`],
          [193, 'r n, s 1', `3026${N}020101`],
          [195, 'r n, s n', `3046${N}${N}`],
          [200, 'r n − 1, s 0', `3026${N_LESS_1}020100`],
          [203, 'r n − 1, s n', `3046${N_LESS_1}${N}`],
          [204, 'r n − 1, s n − 1', `3046${N_LESS_1}${N_LESS_1}`],
        ]),
      ],
    },
  ],
};

const ED25519: WycheproofFile = {
  algorithm: 'EDDSA',
  testGroups: [{
    type: 'EddsaVerify',
    publicKey: { pk: '7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa' },
    tests: [
      ...each('invalid', 'sig', { msg: MSG }, [
        [42, 'bit 0 of R', '647c1492402ab5ce03e2c3a7f0384d051b9cf3570f1207fc78c1bcc98c281c2b1d125e5538f38afbcc1c84e489521083041d24bc6240767029da063271a1ff0c'],
        [59, 'the sign of R', '657c1492402ab5ce03e2c3a7f0384d051b9cf3570f1207fc78c1bcc98c281cab227aedf259f910f0f3a759a335062665217925d019173b88917eae294f75d40f'],
        [60, 'R of zeros', `${'00'.repeat(32)}e0b8e7770d51c7a36375d006c5bffd6af43ff54aaf47e4330dc118c71d61ec02`],
        [61, 'R of ones', `${'ff'.repeat(32)}463a1908382e7eb7693acef9884f7cf931a215e0791876be22c631a59881fd0e`],
      ]),
      test(0, 'valid', 's before L was added to it, which has no number', {
        msg: '54657374', sig: '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab07a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d',
      }),
      ...each('invalid', 'sig', { msg: '54657374' }, [
        [63, 's + L', '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab067654bce3832c2d76f8f6f5dafc08d9339d4eef676573336a5c51eb6f946b31d'],
        [64, 's + 2L', '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab05439412b5395d42f462c67008eba6ca839d4eef676573336a5c51eb6f946b32d'],
        [65, 's + 4L', '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab02ee12ce5875bf9dff26556464bae2ad239d4eef676573336a5c51eb6f946b34d'],
        [66, 's + 8L', '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0e2300459f1e742404cd934d2c595a6253ad4eef676573336a5c51eb6f946b38d'],
        [67, 's + 2^253', '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab07a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b32d'],
        [69, 's + 2^255', '7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab07a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b38d'],
      ]),
    ],
  }],
};

const MODULUS =
  'a2b451a07d0aa5f96e455671513550514a8a5b462ebef717094fa1fee82224e637f9746d3f7cafd31878d80325b6ef5a1700f65903b469429e89d6eac8845097' +
  'b5ab393189db92512ed8a7711a1253facd20f79c15e8247f3d3e42e46e48c98e254a2fe9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d981' +
  '4c22da610428e09c7d9658594266f5c021d0fceca08d945a12be82de4d1ece6b4c03145b5d3495d4ed5411eb878daf05fd7afc3e09ada0f1126422f590975a19' +
  '69816f48698bcbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d3b9a02e5a530e773066f453d1f5b4c2e9cf7820283f742b9d5';
const SIGNATURE =
  '68caf07e71ee654ffabf07d342fc4059deb4f7e5970746c423b1e8f668d5332275cc35eb61270aebd27855b1e80d59def47fe8882867fd33c2308c91976baa0b' +
  '1df952caa78db4828ab81e79949bf145cbdfd1c4987ed036f81e8442081016f20fa4b587574884ca6f6045959ce3501ae7c02b1902ec1d241ef28dee356c0d30' +
  'd28a950f1fbc683ee7d9aad26b048c13426fe3975d5638afeb5b9c1a99d162d3a5810e8b074d7a2eae2be52b577151f76e1f734b0a956ef4f22be64dc20a81ad' +
  '1316e4f79dff5fc41fc08a20bc612283a88415d41595bfea66d59de7ac12e230f72244ad9905aef0ead3fa41ed70bf4218863d5f041292f2d14ce0a7271c6d36';
const BIT_NOT_CLEARED =
  '9c13d877ac2bd8c02c11e29ffcc0c1046dbc9870177e843c30b499c2bf7fd09daa43469caf2b8c3e955ded95e4d62209f7571bb45593f4cd8b0c7bc9470a8a69' +
  '3837248b5a7854dc8e37e752d949479272642994182061d7af80b0ac6f6e984874c8cdc6a5d7d17dc9e9de5ad12120cdb9f6c0d09c0e11b87b3423e37ba9437a' +
  '4f76cc1e6124579e5f79832b89710de1968ce46e3e69fa185c0a924e8cb5f996ee5963f6826dd37714de264d75545e8509caf8735330cde7ed4228e577947182' +
  '7b83757c466022117c45d598f5a4a7fed7be4e1b4d320f894879061a75d1a41efd8dcaf3c61733ed8ca2cc2f83714f8fdbc7a97cd6d6b97ea3d36ebd69890633';
const LAST_BYTE =
  '2b46a0aab5f573e32ffbcb411cd99d2f90aa9b1abbc600b0cda0d824f79020aab47a2494caea20fc93017e77b99eb73a1f8a550b611e2747ad29207772629c2e' +
  'c40918c07adef1c90c99a15cddb9eac88955b4093a9e743d2420b4647e167bff8ddb07ce197db89d8a7d3f327058a41cc459ed4f6d5d23dfc015479d95e195da' +
  '37f5b1fc318a3f74a0ac5fe2b9569c7fd99b8eb3ed3967a5eda1d246a3b225548f67ff860202033e7164d4b99dcf95f4232d18a7913f7258a33179133a6fb4ab' +
  '5a4937b642eacb92908cf79495745abc583524cb0236fbfadd2c7e8b0a6597017912b4737fc01432625a508355869670bef25d32afe6753c38cfd96ec38953fb';
const PKCS1_SIGNATURE =
  '1758eb94588e6fc4f50c1be1afcaa41027869f304cad513b1fb12c2f446d63cdc05c4830a7e3e630da7b2da4f7867cc173bf6420f9732277282596de41ded32e' +
  '21d0cc31441174da8765f57419c7764ea758f55bc17646eb100c435d1ac0eed6fc7ba6de5f832094ee2f479979765e05ac9976788db3c241a9e32a0da864f001' +
  '9a87646ba623d63f4411af5dee1be9ec488c7e3e1b231479de70b9ac5f78a17b1f4120aece45f26c07e7bb345fdfeb05e14bcaacc614672a465fc523624cb19f' +
  '66f9c6c3f642b832ca44cb25176d679f0e05606c3fed022cac24c2bf960a406d48818e3eb7ed53b0446032469047dfed95fc18088c92d91d93722c47f88163a8';
const BER_DIGEST_INFO =
  '8a0e82d4f334aca72a718b6f8f643f69c6048d619d5eba71263a5d2d3ac7a7af133b780c7595ca2c982c006e861948f543cd0210c758691f9626842c25de2843' +
  'ea314ca8eff285d47e0cffa54180af416004017034962a80a5959c3d3f1bfc154a4824462a93c014f6dfe920824f414a6e30e0e5944d480b99949ec7bf64c4a7' +
  '461575933b17d7d6b0178b5192392ace3ed8469e8ac1dacae51ad5d3ad73dcb213e056d04596e64d8c0703def3110c7cecc93ba8ac8059f0f3d66b89d8712c62' +
  'b41d407e4b4a104f4569558b0290c213cad6d0653898b9df8f4a453ab07d13bfb7598d505abbd0c4987e4f1ac66e1a523e113e370ab7cf990f0cc63f50f4f0a4';

const RSA_PSS: WycheproofFile = {
  algorithm: 'RSASSA-PSS',
  testGroups: [{
    type: 'RsassaPssVerify', sha: 'SHA-256', mgfSha: 'SHA-256', sLen: 32,
    publicKey: { modulus: `00${MODULUS}`, publicExponent: '010001' },
    tests: [
      test(4, 'valid', 'normal', { msg: MSG, sig: SIGNATURE }),
      ...each('invalid', 'sig', { msg: MSG }, [
        [94, 'a bit of the mask not cleared', BIT_NOT_CLEARED],
        [96, 'another last byte', LAST_BYTE],
        [99, '0', '00'.repeat(256)],
        [100, '1', `${'00'.repeat(255)}01`],
        [101, 'n − 1', `${MODULUS.slice(0, -2)}d4`],
        [102, 'n', MODULUS],
        [104, 'zeros before it', `0000${SIGNATURE}`],
        [105, 'zeros after it', `${SIGNATURE}0000`],
        [106, 'cut', SIGNATURE.slice(0, -4)],
        [107, 'nothing', ''],
        [108, 'of PKCS #1 v1.5', PKCS1_SIGNATURE],
      ]),
    ],
  }],
};

const RSA_PKCS1: WycheproofFile = {
  algorithm: 'RSASSA-PKCS1-v1_5',
  testGroups: [{
    type: 'RsassaPkcs1Verify', sha: 'SHA-256',
    publicKey: { modulus: `00${MODULUS}`, publicExponent: '010001' },
    tests: [
      test(4, 'valid', 'normal', { msg: MSG, sig: PKCS1_SIGNATURE }),
      test(9, 'invalid', 'a length of DigestInfo in the long form', { msg: MSG, sig: BER_DIGEST_INFO }),
      test(0, 'invalid', 'that of PSS (its 4), which has no number here', { msg: MSG, sig: SIGNATURE }),
    ],
  }],
};

// Authentication codes.

const HMAC_SHA256: WycheproofFile = {
  algorithm: 'HMACSHA256',
  testGroups: [{
    type: 'MacTest', keySize: 256, tagSize: 256,
    tests: [
      test(1, 'valid', 'of nothing', {
        key: '1e225cafb90339bba1b24076d4206c3e79c355805d851682bc818baa4f5a7779', msg: '',
        tag: 'b175b57d89ea6cb606fb3363f2538abd73a4c00b4a1386905bac809004cf1933',
      }),
      ...each('invalid', 'tag', { key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', msg: '' }, [
        [28, 'bit 0 of the tag flipped', 'd28b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb'],
        [32, 'bit 7 of the tag flipped', '538b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb'],
        [34, 'bit 8 of the tag flipped', 'd38a42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb'],
      ]),
    ],
  }],
};

const HMAC_SHA384: WycheproofFile = {
  algorithm: 'HMACSHA384',
  testGroups: [{
    type: 'MacTest', keySize: 192, tagSize: 384,
    tests: [
      test(164, 'valid', 'a short key', {
        key: '213b44d8e1fabaff837ef30ee2542f9ab82ed70411dae78f', msg: 'ee0bf48585c186ff991b4d8607817c9c',
        tag: '54f4010d50f80bcdb4b84d56bc4ef30e4c68f75128214cf446b5145f6fff1326a209945fc21ab5e1f5d917559ea9b800',
      }),
    ],
  }],
};

/** The selection, by the name of the file it is from. */
export const WYCHEPROOF_SELECTION: Readonly<Record<string, WycheproofFile>> = {
  aes_ccm: AES_CCM,
  aes_gcm: AES_GCM,
  chacha20_poly1305: CHACHA20_POLY1305,
  ecdh_secp256r1_ecpoint: ECDH_P256,
  ecdh_secp384r1_ecpoint: ECDH_P384,
  x25519: X25519,
  ecdsa_secp256r1_sha256: ECDSA_P256,
  ed25519: ED25519,
  rsa_pss_2048_sha256_mgf1_32: RSA_PSS,
  rsa_signature_2048_sha256: RSA_PKCS1,
  hmac_sha256: HMAC_SHA256,
  hmac_sha384: HMAC_SHA384,
};
