// Computes SHA-1 and SHA-256 (FIPS 180-4) of the same bytes at once, on x86 processors with SHA extensions.
//
// hashPiece(piece, hashes) writes the SHA-1 (20 bytes) and then the SHA-256 (32 bytes) of `piece` into `hashes`.
// hashPieces(pieces, hashes) does so for each of up to 16 pieces: two at a time (sha-blocks.h), or with AVX-512 all side by
// side (wide-hash.h), where they are enough for that. All are Uint8Arrays and may be views of shared memory.
// piecesAtOnce: how many pieces hashPieces is made for. worthAtOnce: from so many on it is faster than one by one.
// Exported only where the processor supports it.

#include "sha-blocks.h"
#include "wide-hash.h"

#include <cpuid.h>
#include <immintrin.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { length_bytes = 8, sha1_bytes = 20, sha256_bytes = 32, most_pieces = 16 };
/** Sixteen lanes take as long as seven pieces one by one, on Intel processors. */
enum { wide_worth = 8 };

SHA_EXTENSIONS static void add_blocks(State *state, const uint8_t *bytes, size_t count) {
  add_blocks_of(1, state, &bytes, count);
}

SHA_EXTENSIONS static void add_blocks_of_two(State *states, const uint8_t *const *pieces, size_t count) {
  add_blocks_of(2, states, pieces, count);
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

/** The working variables of both hashes as the instructions expect them. */
SHA_EXTENSIONS static State state_of(const uint32_t *w1, const uint32_t *w2) {
  return (State){
      .abcd = _mm_set_epi32(w1[0], w1[1], w1[2], w1[3]),
      .e = _mm_set_epi32(w1[4], 0, 0, 0),
      .abef = _mm_set_epi32(w2[0], w2[1], w2[4], w2[5]),
      .cdgh = _mm_set_epi32(w2[2], w2[3], w2[6], w2[7]),
  };
}

/** Adds what follows the first `done` blocks, and stores both hashes. */
SHA_EXTENSIONS static void hash_rest(State state, const uint8_t *bytes, size_t length, size_t done, uint8_t *hashes) {
  add_blocks(&state, bytes + done * block_bytes, length / block_bytes - done);
  add_ending(&state, bytes, length);

  uint8_t words[16];
  store(hashes, state.abcd);
  store(words, state.e);
  memcpy(hashes + 16, words, 4);
  store(hashes + sha1_bytes, _mm_unpackhi_epi64(state.cdgh, state.abef));
  store(hashes + sha1_bytes + 16, _mm_unpacklo_epi64(state.cdgh, state.abef));
}

SHA_EXTENSIONS static void hash_both(const uint8_t *bytes, size_t length, uint8_t *hashes) {
  hash_rest(state_of(sha1_start, sha256_start), bytes, length, 0, hashes);
}

/** The most blocks that each of `count` pieces has. */
static size_t common_blocks(const size_t *lengths, size_t count) {
  size_t blocks = SIZE_MAX;
  for (size_t i = 0; i < count; i++)
    if (lengths[i] / block_bytes < blocks) blocks = lengths[i] / block_bytes;
  return blocks;
}

/** Two pieces: together as far as the shorter goes. */
SHA_EXTENSIONS static void hash_two(const uint8_t *const *pieces, const size_t *lengths, uint8_t *hashes) {
  const size_t blocks = common_blocks(lengths, 2);
  State states[2] = {state_of(sha1_start, sha256_start), state_of(sha1_start, sha256_start)};
  add_blocks_of_two(states, pieces, blocks);
  for (int i = 0; i < 2; i++)
    hash_rest(states[i], pieces[i], lengths[i], blocks, hashes + i * (sha1_bytes + sha256_bytes));
}

/** `count` pieces, at least one and at most 16: side by side as far as the shortest goes, the rest one by one. */
WIDE static void hash_side_by_side(const uint8_t *const *pieces, const size_t *lengths, size_t count, uint8_t *hashes) {
  const uint8_t *lanes[wide_lanes];
  WideState state;
  const size_t blocks = common_blocks(lengths, count);
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
    hash_rest(state_of(own1, own2), pieces[i], lengths[i], blocks, hashes + i * (sha1_bytes + sha256_bytes));
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

/** `count` pieces, at least one and at most 16, in the fastest way. */
static void hash_all(const uint8_t *const *pieces, const size_t *lengths, size_t count, uint8_t *hashes) {
  if (count >= wide_worth && has_wide_registers()) {
    hash_side_by_side(pieces, lengths, count, hashes);
    return;
  }
  size_t i = 0;
  for (; i + 2 <= count; i += 2) hash_two(pieces + i, lengths + i, hashes + i * (sha1_bytes + sha256_bytes));
  if (i < count) hash_both(pieces[i], lengths[i], hashes + i * (sha1_bytes + sha256_bytes));
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
  size_t given = 2, room = 0, lengths[most_pieces];
  uint32_t count = 0;
  bool is_array = false;
  uint8_t *hashes, *pieces[most_pieces];
  bool is_right = napi_get_cb_info(env, info, &given, arguments, NULL, NULL) == napi_ok && given == 2 &&
                  napi_is_array(env, arguments[0], &is_array) == napi_ok && is_array &&
                  napi_get_array_length(env, arguments[0], &count) == napi_ok && count >= 1 && count <= most_pieces &&
                  bytes_of(env, arguments[1], &hashes, &room) && room >= count * (sha1_bytes + sha256_bytes);
  for (uint32_t i = 0; is_right && i < count; i++) {
    napi_value piece;
    is_right = napi_get_element(env, arguments[0], i, &piece) == napi_ok && bytes_of(env, piece, &pieces[i], &lengths[i]);
  }
  if (!is_right) {
    napi_throw_type_error(env, NULL, "hashPieces takes 1 to 16 Uint8Arrays, and one with room for 52 bytes of each");
    return NULL;
  }
  hash_all((const uint8_t *const *)pieces, lengths, count, hashes);
  return NULL;
}

static bool add_function(napi_env env, napi_value exports, const char *name, napi_callback call) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, call, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

static bool add_number(napi_env env, napi_value exports, const char *name, uint32_t number) {
  napi_value value;
  return napi_create_uint32(env, number, &value) == napi_ok &&
         napi_set_named_property(env, exports, name, value) == napi_ok;
}

NAPI_MODULE_INIT() {
  if (!has_sha_extensions()) return exports;
  const bool is_wide = has_wide_registers();
  // A failure leaves an exception behind, which whoever loads this sees.
  (void)(add_function(env, exports, "hashPiece", hash_piece) && add_function(env, exports, "hashPieces", hash_pieces) &&
         add_number(env, exports, "piecesAtOnce", is_wide ? wide_lanes : 2) &&
         add_number(env, exports, "worthAtOnce", is_wide ? wide_worth : 2));
  return exports;
}
