// PBKDF2 with HMAC-SHA-256 (RFC 8018, 5.2) but for its first iteration, on a thread. The compression of SHA-256 is that of
// the OpenSSL that Node contains; OpenSSL's own PBKDF2 takes more than twice as long, since it copies and checks a whole
// context for each hash.
//
// stretch(key, first, iterations) resolves to the 32 bytes of the first block. `key`: that of the HMAC, padded to 64
// bytes; `first`: the result of the first iteration. Exported only where Node's OpenSSL can be reached.

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { block_bytes = 64, hash_bytes = 32, hash_words = 8 };

/** As in OpenSSL's sha.h, which does not come with the headers of Node-API. */
typedef struct {
  uint32_t words[hash_words], low, high, data[16];
  unsigned count, length;
} SHA256_CTX;

/** Weak, so that the module can be loaded, and then says so, where Node was built without them. */
__attribute__((weak)) extern int SHA256_Init(SHA256_CTX *);
__attribute__((weak)) extern void SHA256_Transform(SHA256_CTX *, const unsigned char *);

typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  uint32_t iterations;
  uint8_t key[block_bytes], result[hash_bytes];
} Task;

/** The compiler may not leave it out. */
static void wipe(void *bytes, size_t length) {
  volatile uint8_t *at = bytes;
  while (length-- > 0) *at++ = 0;
}

/** `to`: 32 bytes. */
static void store(uint8_t *to, const uint32_t *words) {
  for (int i = 0; i < hash_words; i++) {
    to[4 * i] = (uint8_t)(words[i] >> 24), to[4 * i + 1] = (uint8_t)(words[i] >> 16);
    to[4 * i + 2] = (uint8_t)(words[i] >> 8), to[4 * i + 3] = (uint8_t)words[i];
  }
}

/** What a hash begins with once it has read the key, with `pad` added to each of its bytes (RFC 2104). */
static void begin(SHA256_CTX *state, const uint8_t *key, uint8_t pad) {
  uint8_t block[block_bytes];
  for (int i = 0; i < block_bytes; i++) block[i] = key[i] ^ pad;
  SHA256_Init(state);
  SHA256_Transform(state, block);
  wipe(block, sizeof block);
}

static void run(napi_env env, void *data) {
  (void)env;
  Task *task = data;
  SHA256_CTX inner, outer, state;
  begin(&inner, task->key, 0x36);
  begin(&outer, task->key, 0x5c);
  // A hash, and the padding behind it and the key's block: a 1 bit, zeros, and the length in bits.
  uint8_t block[block_bytes] = {0};
  memcpy(block, task->result, hash_bytes);
  block[hash_bytes] = 0x80;
  block[block_bytes - 2] = (block_bytes + hash_bytes) * 8 >> 8;
  uint32_t sum[hash_words] = {0};
  for (uint32_t i = 1; i < task->iterations; i++) {
    memcpy(state.words, inner.words, hash_bytes);
    SHA256_Transform(&state, block);
    store(block, state.words);
    memcpy(state.words, outer.words, hash_bytes);
    SHA256_Transform(&state, block);
    store(block, state.words);
    for (int word = 0; word < hash_words; word++) sum[word] ^= state.words[word];
  }
  store(block, sum);
  for (int i = 0; i < hash_bytes; i++) task->result[i] ^= block[i];
  wipe(&inner, sizeof inner), wipe(&outer, sizeof outer), wipe(&state, sizeof state);
  wipe(block, sizeof block), wipe(sum, sizeof sum);
}

static void drop(napi_env env, Task *task) {
  if (task->work != NULL) napi_delete_async_work(env, task->work);
  wipe(task, sizeof *task);
  free(task);
}

static void finish(napi_env env, napi_status status, void *data) {
  Task *task = data;
  napi_value value;
  if (status == napi_ok && napi_create_buffer_copy(env, hash_bytes, task->result, NULL, &value) == napi_ok)
    napi_resolve_deferred(env, task->deferred, value);
  // Cancelled only when the program ends, and then nobody waits.
  drop(env, task);
}

static bool bytes_of(napi_env env, napi_value value, uint8_t *to, size_t wanted) {
  bool is_typed_array;
  napi_typedarray_type type;
  void *bytes;
  size_t length;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env, value, &type, &length, &bytes, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || length != wanted)
    return false;
  memcpy(to, bytes, wanted);
  return true;
}

static napi_value stretch(napi_env env, napi_callback_info info) {
  napi_value arguments[3], name, promise;
  size_t count = 3;
  Task *task = calloc(1, sizeof *task);
  if (task == NULL) {
    napi_throw_error(env, NULL, "no memory for the password");
    return NULL;
  }
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 3 ||
      !bytes_of(env, arguments[0], task->key, block_bytes) || !bytes_of(env, arguments[1], task->result, hash_bytes) ||
      napi_get_value_uint32(env, arguments[2], &task->iterations) != napi_ok || task->iterations == 0) {
    napi_throw_type_error(env, NULL, "stretch takes a key of 64 bytes, 32 bytes, and a number of iterations");
    drop(env, task);
    return NULL;
  }
  if (napi_create_string_utf8(env, "stretch", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_promise(env, &task->deferred, &promise) == napi_ok &&
      napi_create_async_work(env, NULL, name, run, finish, task, &task->work) == napi_ok &&
      napi_queue_async_work(env, task->work) == napi_ok)
    return promise;
  napi_throw_error(env, NULL, "no thread for the password");
  drop(env, task);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (SHA256_Init != NULL && SHA256_Transform != NULL &&
      napi_create_function(env, "stretch", NAPI_AUTO_LENGTH, stretch, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, "stretch", function);
  return exports;
}
