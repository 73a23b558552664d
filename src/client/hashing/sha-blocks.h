// SHA-1 and SHA-256 (FIPS 180-4) of the same bytes at once, on x86 processors with SHA extensions (Intel since Goldmont and
// Ice Lake, AMD since Zen). Each instruction of a hash needs the result of the one before, which takes four to six cycles,
// so a core that computes one hash mostly waits. The other hash fills a part of these gaps, and both hashes of another piece
// fill more of them where the processor begins one such instruction in each cycle.

#ifndef COTERIE_SHA_BLOCKS_H
#define COTERIE_SHA_BLOCKS_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define SHA_EXTENSIONS __attribute__((target("sha,sse4.1,ssse3")))
#define SHA_INLINE SHA_EXTENSIONS static inline __attribute__((always_inline))

enum { block_bytes = 64 };

/** The working variables of both hashes of a piece, in the order the instructions expect. */
typedef struct {
  __m128i abcd, e;     // SHA-1
  __m128i abef, cdgh;  // SHA-256
} State;

// FIPS 180-4, 4.2.2.
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/** Four rounds of SHA-1: step `i` of 20. `before`: abcd of the step before; `w` holds the words of four steps. */
SHA_INLINE void sha1_step(int i, __m128i *abcd, __m128i *e, __m128i *before, __m128i *w) {
  if (i >= 4)
    w[i % 4] = _mm_sha1msg2_epu32(
        _mm_xor_si128(_mm_sha1msg1_epu32(w[i % 4], w[(i + 1) % 4]), w[(i + 2) % 4]), w[(i + 3) % 4]);
  *e = i == 0 ? _mm_add_epi32(*e, w[0]) : _mm_sha1nexte_epu32(*before, w[i % 4]);
  *before = *abcd;
  // The function of the quarter is a part of the instruction.
  *abcd = i < 5    ? _mm_sha1rnds4_epu32(*abcd, *e, 0)
          : i < 10 ? _mm_sha1rnds4_epu32(*abcd, *e, 1)
          : i < 15 ? _mm_sha1rnds4_epu32(*abcd, *e, 2)
                   : _mm_sha1rnds4_epu32(*abcd, *e, 3);
}

/** Four rounds of SHA-256: step `i` of 16. `w` holds the words of four steps. */
SHA_INLINE void sha256_step(int i, __m128i *abef, __m128i *cdgh, __m128i *w) {
  if (i >= 4)
    w[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]),
                                                  _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4)),
                                    w[(i + 3) % 4]);
  const __m128i sum = _mm_add_epi32(w[i % 4], _mm_load_si128((const __m128i *)constants + i));
  *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
  *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/** Adds so many blocks of each of `lanes` pieces, from `at` on; `lanes` is 1 or 2, and known when this is compiled. */
SHA_INLINE void add_blocks_of(const int lanes, State *states, const uint8_t *const *pieces, size_t count) {
  // Words are big-endian; SHA-1 wants the first of four in the highest place, SHA-256 in the lowest.
  const __m128i words_of_sha1 = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  const __m128i words_of_sha256 = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (size_t at = 0; at < count * block_bytes; at += block_bytes) {
    __m128i abcd[2], e[2], before[2], abef[2], cdgh[2], w1[2][4], w2[2][4];
#pragma GCC unroll 2
    for (int l = 0; l < lanes; l++)
      abcd[l] = states[l].abcd, e[l] = states[l].e, abef[l] = states[l].abef, cdgh[l] = states[l].cdgh;
    // Five steps of SHA-1 take as long as four of SHA-256.
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
#pragma GCC unroll 2
      for (int l = 0; l < lanes; l++) {
        if (i < 4) {
          const __m128i read = _mm_loadu_si128((const __m128i *)(pieces[l] + at) + i);
          w1[l][i] = _mm_shuffle_epi8(read, words_of_sha1);
          w2[l][i] = _mm_shuffle_epi8(read, words_of_sha256);
        }
        sha256_step(i, &abef[l], &cdgh[l], w2[l]);
      }
#pragma GCC unroll 2
      for (int l = 0; l < lanes; l++) sha1_step(i + i / 4, &abcd[l], &e[l], &before[l], w1[l]);
      if (i % 4 < 3) continue;
#pragma GCC unroll 2
      for (int l = 0; l < lanes; l++) sha1_step(i + i / 4 + 1, &abcd[l], &e[l], &before[l], w1[l]);
    }
#pragma GCC unroll 2
    for (int l = 0; l < lanes; l++) {
      states[l].e = _mm_sha1nexte_epu32(before[l], states[l].e);
      states[l].abcd = _mm_add_epi32(states[l].abcd, abcd[l]);
      states[l].abef = _mm_add_epi32(states[l].abef, abef[l]);
      states[l].cdgh = _mm_add_epi32(states[l].cdgh, cdgh[l]);
    }
  }
}

#endif
