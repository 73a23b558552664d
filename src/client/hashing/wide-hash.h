// SHA-1 and SHA-256 (FIPS 180-4) of sixteen pieces side by side, on x86 processors with AVX-512: each instruction works on
// a word of every piece. That is throughput, where the instructions for SHA wait for each other: sixteen pieces take less
// than half of the time that they take one by one.

#ifndef COTERIE_WIDE_HASH_H
#define COTERIE_WIDE_HASH_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define WIDE __attribute__((target("avx512f,avx512bw")))

enum { wide_lanes = 16, wide_block_bytes = 64 };

/** The working variables of both hashes; each holds a word for every piece. */
typedef struct {
  __m512i sha1[5], sha256[8];
} WideState;

// The truth tables of FIPS 180-4, 4.1: Ch, Parity and Maj of three words.
#define WIDE_CHOOSE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define WIDE_PARITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define WIDE_MAJORITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define WIDE_ADD _mm512_add_epi32

/** Puts word `i` of every piece into `words[i]`, from 64 bytes of each. The words are big-endian. */
WIDE static inline void wide_words(const uint8_t *const *pieces, size_t at, __m512i *words) {
  const __m512i backwards = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  __m512i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) a[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(pieces[i] + at), backwards);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m512i low0 = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88), high0 = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
    const __m512i low1 = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
    const __m512i high1 = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
    words[i] = _mm512_shuffle_i32x4(low0, low1, 0x88);
    words[i + 4] = _mm512_shuffle_i32x4(high0, high1, 0x88);
    words[i + 8] = _mm512_shuffle_i32x4(low0, low1, 0xdd);
    words[i + 12] = _mm512_shuffle_i32x4(high0, high1, 0xdd);
  }
}

WIDE static inline void wide_sha1(__m512i *state, const __m512i *words) {
  static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  __m512i w[16], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) w[i] = words[i];
#pragma GCC unroll 80
  for (int t = 0; t < 80; t++) {
    if (t >= 16)
      w[t % 16] = _mm512_rol_epi32(
          _mm512_xor_si512(WIDE_PARITY(w[(t + 13) % 16], w[(t + 8) % 16], w[(t + 2) % 16]), w[t % 16]), 1);
    const __m512i f = t < 20               ? WIDE_CHOOSE(b, c, d)
                      : t >= 40 && t < 60 ? WIDE_MAJORITY(b, c, d)
                                          : WIDE_PARITY(b, c, d);
    const __m512i k = _mm512_set1_epi32((int)constants[t / 20]);
    const __m512i sum = WIDE_ADD(WIDE_ADD(WIDE_ADD(e, k), WIDE_ADD(w[t % 16], f)), _mm512_rol_epi32(a, 5));
    e = d, d = c, c = _mm512_rol_epi32(b, 30), b = a, a = sum;
  }
  state[0] = WIDE_ADD(state[0], a), state[1] = WIDE_ADD(state[1], b), state[2] = WIDE_ADD(state[2], c);
  state[3] = WIDE_ADD(state[3], d), state[4] = WIDE_ADD(state[4], e);
}

WIDE static inline void wide_sha256(__m512i *state, __m512i *w, const uint32_t *constants) {
  __m512i a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
#pragma GCC unroll 64
  for (int t = 0; t < 64; t++) {
    if (t >= 16) {
      const __m512i x = w[(t + 1) % 16], y = w[(t + 14) % 16];
      const __m512i s0 = WIDE_PARITY(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18), _mm512_srli_epi32(x, 3));
      const __m512i s1 = WIDE_PARITY(_mm512_ror_epi32(y, 17), _mm512_ror_epi32(y, 19), _mm512_srli_epi32(y, 10));
      w[t % 16] = WIDE_ADD(WIDE_ADD(w[t % 16], s0), WIDE_ADD(w[(t + 9) % 16], s1));
    }
    const __m512i s1 = WIDE_PARITY(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
    const __m512i s0 = WIDE_PARITY(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
    const __m512i k = _mm512_set1_epi32((int)constants[t]);
    const __m512i t1 = WIDE_ADD(WIDE_ADD(WIDE_ADD(h, k), WIDE_ADD(w[t % 16], s1)), WIDE_CHOOSE(e, f, g));
    const __m512i t2 = WIDE_ADD(s0, WIDE_MAJORITY(a, b, c));
    h = g, g = f, f = e, e = WIDE_ADD(d, t1), d = c, c = b, b = a, a = WIDE_ADD(t1, t2);
  }
  const __m512i sums[8] = {a, b, c, d, e, f, g, h};
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) state[i] = WIDE_ADD(state[i], sums[i]);
}

/** Adds so many blocks of every piece. `constants`: those of SHA-256. */
WIDE static void wide_add_blocks(WideState *state, const uint8_t *const *pieces, size_t count, const uint32_t *constants) {
  WideState now = *state;
  for (size_t at = 0; at < count * wide_block_bytes; at += wide_block_bytes) {
    __m512i words[16];
    wide_words(pieces, at, words);
    wide_sha1(now.sha1, words);
    wide_sha256(now.sha256, words, constants);
  }
  *state = now;
}

#endif
