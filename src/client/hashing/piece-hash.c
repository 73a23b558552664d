// Computes SHA-1 and SHA-256 (FIPS 180-4) of the same bytes at once, on x86 processors with SHA extensions
// (Intel since Goldmont and Ice Lake, AMD since Zen). Each instruction of a hash needs the result of the one
// before, which takes four to six cycles, so a core that computes one hash mostly waits. The other hash fills
// these gaps: both take little longer than one.
//
// hashPiece(piece, hashes) writes the SHA-1 (20 bytes) and then the SHA-256 (32 bytes) of `piece` into `hashes`.
// hashPieces(pieces, hashes) does so for each of up to 16 pieces, side by side with AVX-512 (wide-hash.h).
// All are Uint8Arrays and may be views of shared memory. Exported only where the processor supports it.

#include "wide-hash.h"

#include <cpuid.h>
#include <immintrin.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHA_EXTENSIONS __attribute__((target("sha,sse4.1,ssse3")))

enum { block_bytes = 64, length_bytes = 8, sha1_bytes = 20, sha256_bytes = 32 };

/** The working variables of both hashes, in the order the instructions expect. */
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

// Four rounds of SHA-1: step `i` of 20, with the function of its quarter. `w1` holds the words of four steps.
#define SHA1_STEP(i, quarter)                                                                                       \
  do {                                                                                                              \
    if ((i) < 4)                                                                                                    \
      w1[(i) % 4] = _mm_shuffle_epi8(read[(i) % 4], words_of_sha1);                                                 \
    else                                                                                                            \
      w1[(i) % 4] = _mm_sha1msg2_epu32(                                                                             \
          _mm_xor_si128(_mm_sha1msg1_epu32(w1[(i) % 4], w1[((i) + 1) % 4]), w1[((i) + 2) % 4]), w1[((i) + 3) % 4]); \
    e = (i) == 0 ? _mm_add_epi32(e, w1[0]) : _mm_sha1nexte_epu32(before, w1[(i) % 4]);                              \
    before = abcd;                                                                                                  \
    abcd = _mm_sha1rnds4_epu32(abcd, e, quarter);                                                                   \
  } while (0)

// Four rounds of SHA-256: step `i` of 16. `w2` holds the words of four steps.
#define SHA256_STEP(i)                                                                                              \
  do {                                                                                                              \
    if ((i) < 4)                                                                                                    \
      w2[(i) % 4] = _mm_shuffle_epi8(read[(i) % 4], words_of_sha256);                                               \
    else                                                                                                            \
      w2[(i) % 4] = _mm_sha256msg2_epu32(                                                                           \
          _mm_add_epi32(_mm_sha256msg1_epu32(w2[(i) % 4], w2[((i) + 1) % 4]),                                       \
                        _mm_alignr_epi8(w2[((i) + 3) % 4], w2[((i) + 2) % 4], 4)),                                  \
          w2[((i) + 3) % 4]);                                                                                       \
    const __m128i sum = _mm_add_epi32(w2[(i) % 4], _mm_load_si128((const __m128i *)constants + (i)));               \
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);                                                                  \
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));                                         \
  } while (0)

SHA_EXTENSIONS static void add_blocks(State *state, const uint8_t *bytes, size_t count) {
  // Words are big-endian; SHA-1 wants the first of four in the highest place, SHA-256 in the lowest.
  const __m128i words_of_sha1 = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  const __m128i words_of_sha256 = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abcd = state->abcd, e = state->e, abef = state->abef, cdgh = state->cdgh;
  for (; count > 0; count--, bytes += block_bytes) {
    const __m128i abcd0 = abcd, e0 = e, abef0 = abef, cdgh0 = cdgh;
    __m128i read[4], w1[4], w2[4], before = abcd;
    for (int i = 0; i < 4; i++) read[i] = _mm_loadu_si128((const __m128i *)bytes + i);
    // Interleaved five to four: five steps of SHA-1 take as long as four of SHA-256.
    SHA256_STEP(0); SHA1_STEP(0, 0); SHA256_STEP(1); SHA1_STEP(1, 0); SHA256_STEP(2); SHA1_STEP(2, 0);
    SHA256_STEP(3); SHA1_STEP(3, 0); SHA1_STEP(4, 0);
    SHA256_STEP(4); SHA1_STEP(5, 1); SHA256_STEP(5); SHA1_STEP(6, 1); SHA256_STEP(6); SHA1_STEP(7, 1);
    SHA256_STEP(7); SHA1_STEP(8, 1); SHA1_STEP(9, 1);
    SHA256_STEP(8); SHA1_STEP(10, 2); SHA256_STEP(9); SHA1_STEP(11, 2); SHA256_STEP(10); SHA1_STEP(12, 2);
    SHA256_STEP(11); SHA1_STEP(13, 2); SHA1_STEP(14, 2);
    SHA256_STEP(12); SHA1_STEP(15, 3); SHA256_STEP(13); SHA1_STEP(16, 3); SHA256_STEP(14); SHA1_STEP(17, 3);
    SHA256_STEP(15); SHA1_STEP(18, 3); SHA1_STEP(19, 3);
    e = _mm_sha1nexte_epu32(before, e0);
    abcd = _mm_add_epi32(abcd, abcd0);
    abef = _mm_add_epi32(abef, abef0);
    cdgh = _mm_add_epi32(cdgh, cdgh0);
  }
  state->abcd = abcd, state->e = e, state->abef = abef, state->cdgh = cdgh;
}

/** Adds the rest of the message and its padding: a 1 bit, zeros, and the length in bits in the last 8 bytes. */
SHA_EXTENSIONS static void add_ending(State *state, const uint8_t *bytes, size_t length) {
  const size_t rest = length % block_bytes;
  uint8_t ending[2 * block_bytes] = {0};
  if (rest > 0) memcpy(ending, bytes + length - rest, rest);
  ending[rest] = 0x80;
  const size_t blocks = rest + 1 + length_bytes <= block_bytes ? 1 : 2;
  const uint64_t bits = __builtin_bswap64((uint64_t)length * 8);
  memcpy(ending + blocks * block_bytes - length_bytes, &bits, length_bytes);
  add_blocks(state, ending, blocks);
}

/** Stores four words, highest first, each big-endian. */
SHA_EXTENSIONS static void store(uint8_t *to, __m128i words) {
  const __m128i backwards = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  _mm_storeu_si128((__m128i *)to, _mm_shuffle_epi8(words, backwards));
}

// FIPS 180-4, 5.3.
static const uint32_t sha1_start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/** Adds what follows the first `done` blocks, and stores both hashes. `w1`, `w2`: the working variables until there. */
SHA_EXTENSIONS static void hash_rest(const uint32_t *w1, const uint32_t *w2, const uint8_t *bytes, size_t length,
                                     size_t done, uint8_t *hashes) {
  State state = {
      .abcd = _mm_set_epi32(w1[0], w1[1], w1[2], w1[3]),
      .e = _mm_set_epi32(w1[4], 0, 0, 0),
      .abef = _mm_set_epi32(w2[0], w2[1], w2[4], w2[5]),
      .cdgh = _mm_set_epi32(w2[2], w2[3], w2[6], w2[7]),
  };
  add_blocks(&state, bytes + done * block_bytes, length / block_bytes - done);
  add_ending(&state, bytes, length);

  uint8_t words[16];
  store(hashes, state.abcd);
  store(words, state.e);
  memcpy(hashes + 16, words, 4);
  store(hashes + sha1_bytes, _mm_unpackhi_epi64(state.cdgh, state.abef));
  store(hashes + sha1_bytes + 16, _mm_unpacklo_epi64(state.cdgh, state.abef));
}

static void hash_both(const uint8_t *bytes, size_t length, uint8_t *hashes) {
  hash_rest(sha1_start, sha256_start, bytes, length, 0, hashes);
}

/** `count` pieces, at least one and at most 16: side by side as far as the shortest goes, the rest one by one. */
WIDE static void hash_side_by_side(const uint8_t *const *pieces, const size_t *lengths, size_t count, uint8_t *hashes) {
  const uint8_t *lanes[wide_lanes];
  WideState state;
  size_t blocks = SIZE_MAX;
  for (size_t i = 0; i < count; i++)
    if (lengths[i] / block_bytes < blocks) blocks = lengths[i] / block_bytes;
  // What remains of the lanes computes one hash several times.
  for (size_t i = 0; i < wide_lanes; i++) lanes[i] = pieces[i < count ? i : 0];
  for (int i = 0; i < 5; i++) state.sha1[i] = _mm512_set1_epi32((int)sha1_start[i]);
  for (int i = 0; i < 8; i++) state.sha256[i] = _mm512_set1_epi32((int)sha256_start[i]);
  wide_add_blocks(&state, lanes, blocks, constants);

  uint32_t w1[5][wide_lanes], w2[8][wide_lanes];
  for (int i = 0; i < 5; i++) _mm512_storeu_si512(w1[i], state.sha1[i]);
  for (int i = 0; i < 8; i++) _mm512_storeu_si512(w2[i], state.sha256[i]);
  for (size_t i = 0; i < count; i++) {
    const uint32_t own1[5] = {w1[0][i], w1[1][i], w1[2][i], w1[3][i], w1[4][i]};
    const uint32_t own2[8] = {w2[0][i], w2[1][i], w2[2][i], w2[3][i], w2[4][i], w2[5][i], w2[6][i], w2[7][i]};
    hash_rest(own1, own2, pieces[i], lengths[i], blocks, hashes + i * (sha1_bytes + sha256_bytes));
  }
}

static bool has_sha_extensions(void) {
  unsigned a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/** Asks the system, too: it has to keep the long registers of each thread. */
static bool has_wide_registers(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static bool bytes_of(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  bool is_typed_array;
  napi_typedarray_type type;
  return napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
         napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL) == napi_ok &&
         type == napi_uint8_array;
}

static napi_value hash_piece(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2, length, room;
  uint8_t *bytes, *hashes;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 2 ||
      !bytes_of(env, arguments[0], &bytes, &length) || !bytes_of(env, arguments[1], &hashes, &room) ||
      room < sha1_bytes + sha256_bytes) {
    napi_throw_type_error(env, NULL, "hashPiece takes two Uint8Arrays, the second of at least 52 bytes");
    return NULL;
  }
  hash_both(bytes, length, hashes);
  return NULL;
}

static napi_value hash_pieces(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t given = 2, room = 0, lengths[wide_lanes];
  uint32_t count = 0;
  bool is_array = false;
  uint8_t *hashes, *pieces[wide_lanes];
  bool is_right = napi_get_cb_info(env, info, &given, arguments, NULL, NULL) == napi_ok && given == 2 &&
                  napi_is_array(env, arguments[0], &is_array) == napi_ok && is_array &&
                  napi_get_array_length(env, arguments[0], &count) == napi_ok && count >= 1 && count <= wide_lanes &&
                  bytes_of(env, arguments[1], &hashes, &room) && room >= count * (sha1_bytes + sha256_bytes);
  for (uint32_t i = 0; is_right && i < count; i++) {
    napi_value piece;
    is_right = napi_get_element(env, arguments[0], i, &piece) == napi_ok && bytes_of(env, piece, &pieces[i], &lengths[i]);
  }
  if (!is_right) {
    napi_throw_type_error(env, NULL, "hashPieces takes 1 to 16 Uint8Arrays, and one with room for 52 bytes of each");
    return NULL;
  }
  hash_side_by_side((const uint8_t *const *)pieces, lengths, count, hashes);
  return NULL;
}

static bool add_function(napi_env env, napi_value exports, const char *name, napi_callback call) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, call, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

NAPI_MODULE_INIT() {
  if (!has_sha_extensions() || !add_function(env, exports, "hashPiece", hash_piece)) return exports;
  if (has_wide_registers()) add_function(env, exports, "hashPieces", hash_pieces);
  return exports;
}
