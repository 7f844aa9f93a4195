/**
 * Published known answers of Diffie–Hellman on the groups, each with its source. All in hexadecimal, blanks for the eye.
 */
import type { GroupName } from '../../lib/crypto/keys.js';

/** One agreement, in hexadecimal. */
export interface GroupVector {
  readonly source: string;
  readonly group: GroupName;
  readonly privateKey: string;
  /** Left out where the source does not give it. */
  readonly publicKey?: string;
  readonly peer: string;
  readonly secret: string;
}

const ALICE = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
const BOB = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb';
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';

const P256_I = `04 dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180
  5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3`;
const P256_R = `04 d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63
  56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab`;
const P384_I = `04 667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa
  9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c`;
const P384_R = `04 e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571
  dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c`;

/** Agreements with a known secret. */
export const GROUP_VECTORS: readonly GroupVector[] = [
  {
    source: 'RFC 7748 §5.2, first',
    group: 'x25519',
    privateKey: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    peer: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    secret: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  },
  {
    source: 'RFC 7748 §5.2, second: the top bit of the coordinate is set and ignored',
    group: 'x25519',
    privateKey: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    peer: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    secret: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  },
  {
    source: 'RFC 7748 §6.1, Alice',
    group: 'x25519',
    privateKey: ALICE,
    publicKey: ALICE_PUBLIC,
    peer: BOB_PUBLIC,
    secret: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
  {
    source: 'RFC 7748 §6.1, Bob',
    group: 'x25519',
    privateKey: BOB,
    publicKey: BOB_PUBLIC,
    peer: ALICE_PUBLIC,
    secret: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
  {
    source: 'RFC 5903 §8.1, initiator',
    group: 'secp256r1',
    privateKey: 'c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433',
    publicKey: P256_I,
    peer: P256_R,
    secret: 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
  },
  {
    source: 'RFC 5903 §8.1, responder',
    group: 'secp256r1',
    privateKey: 'c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53',
    publicKey: P256_R,
    peer: P256_I,
    secret: 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
  },
  {
    source: 'RFC 5903 §8.2, initiator',
    group: 'secp384r1',
    privateKey: '099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194',
    publicKey: P384_I,
    peer: P384_R,
    secret: '11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746',
  },
  {
    source: 'RFC 5903 §8.2, responder',
    group: 'secp384r1',
    privateKey: '41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc',
    publicKey: P384_R,
    peer: P384_I,
    secret: '11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746',
  },
  {
    source: 'found by search: a secret that starts with zeros',
    group: 'secp256r1',
    privateKey: `01${'00'.repeat(29)}0275`,
    peer: `04 515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f
      4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354`,
    secret: '000471676df171c2c9d924bba070e995879ea3c668611d44aad8e803e6c878e7',
  },
  {
    source: 'found by search: a secret that starts with a zero',
    group: 'secp384r1',
    privateKey: `01${'00'.repeat(45)}0187`,
    peer: `04 c76f2283dda95cd49b0ed9e733d2904474e37216f124e13d2c9ab4cf01021c49ad9cabb3d0b97499aef2f0ab313fa028
      26bc1f83451b5c8962a75caff73588d4400a6296436154fb343c393e91048a6c7bcbadc83cd8a5f26feae883156f92a1`,
    secret: '002a5ef658e3b0e970d3d3a17eb546a6d324cc8630696ac4e58d391c8729018035ea2d6bd7de48eea1fc0c578088fab2',
  },
];
