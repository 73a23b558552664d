// Sums of blocks, and the search for blocks by them at every offset of some bytes: common/recipe says how, and does the same
// in JavaScript, three to eight times as slow.
//
// nextMatch(bytes, from, last, blockBytes, weight, filter, filterShift, buckets, bucketShift, sums, state) returns the first
// offset from `from` to `last` whose sum is among `sums`, or -1. `state` has the sum of the offset that was returned, and
// the offset behind it.
//
// countRun(bytes, at, records, lengths, number) returns how many blocks from this number on lie one behind the other from
// `at` on, by their sums alone.
//
// sumOf(bytes, from, to) returns the sum as a signed number.

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const uint32_t factor = 0x9e3779b1u;

typedef struct {
  const uint32_t *filter, *buckets, *sums;
  uint32_t filter_shift, bucket_shift;
} Lookup;

static uint32_t sum_of(const uint8_t *bytes, size_t length) {
  uint32_t weights[16], sum = 0;
  weights[15] = 1;
  for (int i = 15; i > 0; i--) weights[i - 1] = weights[i] * factor;
  const uint32_t step = weights[0] * factor;
  size_t at = 0;
  // Sixteen at a time: each multiplication of the sum waits for the one before.
  for (; at + 16 <= length; at += 16) {
    uint32_t part = 0;
    for (int i = 0; i < 16; i++) part += bytes[at + i] * weights[i];
    sum = sum * step + part;
  }
  for (; at < length; at++) sum = sum * factor + bytes[at];
  return sum;
}

/** Whether the filter lets it pass, as it does one of 256 by chance. */
static inline bool may_have(const uint32_t *filter, uint32_t shift, uint32_t sum) {
  const uint32_t bit = sum >> shift;
  return (filter[bit >> 5] >> (bit & 31) & 1) != 0;
}

static bool has(const Lookup *lookup, uint32_t sum) {
  const uint32_t bucket = sum >> lookup->bucket_shift;
  uint32_t low = lookup->buckets[bucket], high = lookup->buckets[bucket + 1];
  const uint32_t end = high;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (lookup->sums[middle] >= sum) high = middle;
    else low = middle + 1;
  }
  return low < end && lookup->sums[low] == sum;
}

typedef struct {
  const uint8_t *bytes;
  size_t from, last, block_bytes;
  uint32_t weight;
} Span;

/** The first offset whose sum is among those that are looked for; -1 for none. `sum`: of the first offset. */
static int64_t search(const Lookup *lookup, Span span, uint32_t sum, int32_t *state) {
  // What each byte counts for when it leaves.
  uint32_t leaving[256];
  for (uint32_t byte = 0; byte < 256; byte++) leaving[byte] = byte * span.weight;
  const uint32_t factor2 = factor * factor;
  const uint8_t *leaves = span.bytes, *enters = span.bytes + span.block_bytes;
  const uint32_t *filter = lookup->filter, shift = lookup->filter_shift;
  size_t at = span.from;
  for (;; at++) {
    // Two at a time, likewise.
    for (; at + 2 <= span.last; at += 2) {
      const uint32_t one = enters[at] - leaving[leaves[at]];
      const uint32_t next = sum * factor + one;
      if (may_have(filter, shift, sum)) break;
      if (may_have(filter, shift, next)) {
        at++, sum = next;
        break;
      }
      sum = sum * factor2 + (one * factor + enters[at + 1] - leaving[leaves[at + 1]]);
    }
    if (may_have(filter, shift, sum) && has(lookup, sum)) {
      state[0] = (int32_t)sum, state[1] = (int32_t)at + 1;
      return (int64_t)at;
    }
    if (at == span.last) return -1;
    sum = sum * factor + enters[at] - leaving[leaves[at]];
  }
}

static bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool is_typed_array;
  napi_typedarray_type type;
  return napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
         napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted;
}

static napi_value next_match(napi_env env, napi_callback_info info) {
  napi_value arguments[11], result;
  size_t count = 11, length, filter_length, bucket_count, sum_count, state_length;
  void *data, *filter, *buckets, *sums, *state_data;
  int64_t from, last;
  uint32_t block_bytes, weight;
  Lookup lookup;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 11 ||
      !array_of(env, arguments[0], napi_uint8_array, &data, &length) ||
      napi_get_value_int64(env, arguments[1], &from) != napi_ok ||
      napi_get_value_int64(env, arguments[2], &last) != napi_ok ||
      napi_get_value_uint32(env, arguments[3], &block_bytes) != napi_ok ||
      napi_get_value_uint32(env, arguments[4], &weight) != napi_ok ||
      !array_of(env, arguments[5], napi_uint32_array, &filter, &filter_length) ||
      napi_get_value_uint32(env, arguments[6], &lookup.filter_shift) != napi_ok ||
      !array_of(env, arguments[7], napi_uint32_array, &buckets, &bucket_count) ||
      napi_get_value_uint32(env, arguments[8], &lookup.bucket_shift) != napi_ok ||
      !array_of(env, arguments[9], napi_uint32_array, &sums, &sum_count) ||
      !array_of(env, arguments[10], napi_int32_array, &state_data, &state_length) || state_length < 2 ||
      lookup.filter_shift > 31 || lookup.bucket_shift > 31 || filter_length <= (UINT32_MAX >> lookup.filter_shift) >> 5 ||
      bucket_count <= (size_t)(UINT32_MAX >> lookup.bucket_shift) + 1 || from < 0 ||
      (last >= from && last + (int64_t)block_bytes > (int64_t)length)) {
    napi_throw_type_error(env, NULL, "nextMatch takes the bytes, the places, and the parts of an index");
    return NULL;
  }
  const uint8_t *bytes = data;
  lookup.filter = filter, lookup.buckets = buckets, lookup.sums = sums;
  int32_t *state = state_data;
  int64_t found = -1;
  if (from <= last) {
    const uint32_t first = from > 0 && state[1] == from
                               ? (uint32_t)state[0] * factor + bytes[from + block_bytes - 1] - bytes[from - 1] * weight
                               : sum_of(bytes + from, block_bytes);
    found = search(&lookup, (Span){bytes, (size_t)from, (size_t)last, block_bytes, weight}, first, state);
  }
  return napi_create_int64(env, found, &result) == napi_ok ? result : NULL;
}

static napi_value count_run(napi_env env, napi_callback_info info) {
  enum { record_bytes = 12 };
  napi_value arguments[5], result;
  size_t count = 5, length, record_length, block_count;
  void *data, *record_data, *length_data;
  int64_t from, number;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 5 ||
      !array_of(env, arguments[0], napi_uint8_array, &data, &length) ||
      napi_get_value_int64(env, arguments[1], &from) != napi_ok ||
      !array_of(env, arguments[2], napi_uint8_array, &record_data, &record_length) ||
      !array_of(env, arguments[3], napi_uint32_array, &length_data, &block_count) ||
      napi_get_value_int64(env, arguments[4], &number) != napi_ok || from < 0 || number < 0 ||
      record_length / record_bytes < block_count) {
    napi_throw_type_error(env, NULL, "countRun takes the bytes, a place, the records and lengths, and a number");
    return NULL;
  }
  const uint8_t *bytes = data, *records = record_data;
  const uint32_t *lengths = length_data;
  uint32_t found = 0;
  size_t at = (size_t)from;
  for (size_t block = (size_t)number; block < block_count && lengths[block] > 0; block++, found++) {
    if (at > length || lengths[block] > length - at) break;
    const uint8_t *record = records + block * record_bytes;
    const uint32_t sum =
        (uint32_t)record[0] << 24 | (uint32_t)record[1] << 16 | (uint32_t)record[2] << 8 | (uint32_t)record[3];
    if (sum_of(bytes + at, lengths[block]) != sum) break;
    at += lengths[block];
  }
  return napi_create_uint32(env, found, &result) == napi_ok ? result : NULL;
}

static napi_value sum_of_bytes(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  size_t count = 3, length;
  void *data;
  int64_t from, to;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 3 ||
      !array_of(env, arguments[0], napi_uint8_array, &data, &length) ||
      napi_get_value_int64(env, arguments[1], &from) != napi_ok ||
      napi_get_value_int64(env, arguments[2], &to) != napi_ok || from < 0 || to < from || to > (int64_t)length) {
    napi_throw_type_error(env, NULL, "sumOf takes the bytes, and from where to where");
    return NULL;
  }
  const uint32_t sum = sum_of((const uint8_t *)data + from, (size_t)(to - from));
  return napi_create_int32(env, (int32_t)sum, &result) == napi_ok ? result : NULL;
}

static void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  export_function(env, exports, "nextMatch", next_match);
  export_function(env, exports, "countRun", count_run);
  export_function(env, exports, "sumOf", sum_of_bytes);
  return exports;
}
