// Looks for blocks by their sums at every offset of some bytes: common/recipe/scan.ts says how, and does the same in
// JavaScript, three to eight times as slow.
//
// nextMatch(bytes, from, last, blockBytes, weight, filter, filterShift, buckets, bucketShift, sums, state) returns the first
// offset from `from` to `last` whose sum is among `sums`, or -1. `state` has the sum of the offset that was returned, and
// the offset behind it.

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
  const uint32_t factor2 = factor * factor, factor3 = factor2 * factor, factor4 = factor3 * factor;
  uint32_t sum = 0;
  size_t at = 0;
  for (; at + 4 <= length; at += 4)
    sum = sum * factor4 + bytes[at] * factor3 + bytes[at + 1] * factor2 + bytes[at + 2] * factor + bytes[at + 3];
  for (; at < length; at++) sum = sum * factor + bytes[at];
  return sum;
}

static bool has(const Lookup *lookup, uint32_t sum) {
  const uint32_t bit = sum >> lookup->filter_shift;
  if ((lookup->filter[bit >> 5] & (1u << (bit & 31))) == 0) return false;
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
    uint32_t sum = from > 0 && state[1] == from
                       ? (uint32_t)state[0] * factor + bytes[from + block_bytes - 1] - bytes[from - 1] * weight
                       : sum_of(bytes + from, block_bytes);
    for (int64_t at = from;; at++) {
      if (has(&lookup, sum)) {
        found = at, state[0] = (int32_t)sum, state[1] = (int32_t)at + 1;
        break;
      }
      if (at == last) break;
      sum = sum * factor + bytes[at + block_bytes] - bytes[at] * weight;
    }
  }
  return napi_create_int64(env, found, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "nextMatch", NAPI_AUTO_LENGTH, next_match, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, "nextMatch", function);
  return exports;
}
