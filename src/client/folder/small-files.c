// Makes many small files in one folder with one call, with four system calls for each: Node's own take three times as
// long, most of it for paths, numbers and errors that go to and fro.
//
// writeFiles(folder, names, facts, content, failure) makes the files in the folder with this descriptor, in their order.
// `names`: each ends with a NUL. `facts`: four numbers for each: where it begins in `content`, how many bytes it has, when
// it was changed (seconds since 1970), and 1 for one that may be run. Returns how many were made; where that is not all,
// `failure` has the number of the error. What is there already is never written to, and no link is followed.

// For openat, futimens and their flags beside -std=c11.
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { facts_each = 4 };

static bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool is_typed_array;
  napi_typedarray_type type;
  return napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
         napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted;
}

/** Whether these are as many names as there are files, and all of their bytes lie in the content. */
static bool fits(const char *names, size_t names_length, const double *facts, size_t files, size_t content_length) {
  size_t count = 0;
  for (size_t at = 0; at < names_length; at++) {
    if (names[at] == '/') return false;
    if (names[at] == '\0') count++;
  }
  if (count != files || (names_length > 0 && names[names_length - 1] != '\0')) return false;
  for (size_t file = 0; file < files; file++) {
    const double offset = facts[file * facts_each], length = facts[file * facts_each + 1];
    if (!(offset >= 0) || !(length >= 0) || !(offset + length <= (double)content_length)) return false;
  }
  return true;
}

static bool write_all(int file, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    const ssize_t written = write(file, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written, length -= (size_t)written;
  }
  return true;
}

/** Returns 0, or the number of the error. */
static int make(int folder, const char *name, const double *facts, const uint8_t *content) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int file;
  // What the user's mask leaves of it.
  do file = openat(folder, name, flags, facts[3] == 1 ? 0777 : 0666);
  while (file < 0 && errno == EINTR);
  if (file < 0) return errno;
  const struct timespec changed = {.tv_sec = (time_t)facts[2]}, times[2] = {changed, changed};
  int problem = 0;
  if (!write_all(file, content + (size_t)facts[0], (size_t)facts[1]) || futimens(file, times) != 0) problem = errno;
  // Some file systems report a failed write only now.
  if (close(file) != 0 && problem == 0 && errno != EINTR) problem = errno;
  return problem;
}

static napi_value write_files(napi_env env, napi_callback_info info) {
  napi_value arguments[5], result;
  size_t count = 5, names_length, facts_length, content_length, failure_length;
  void *names, *facts, *content, *failure;
  int32_t folder;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 5 ||
      napi_get_value_int32(env, arguments[0], &folder) != napi_ok ||
      !array_of(env, arguments[1], napi_uint8_array, &names, &names_length) ||
      !array_of(env, arguments[2], napi_float64_array, &facts, &facts_length) ||
      !array_of(env, arguments[3], napi_uint8_array, &content, &content_length) ||
      !array_of(env, arguments[4], napi_int32_array, &failure, &failure_length) || failure_length < 1 ||
      !fits(names, names_length, facts, facts_length / facts_each, content_length)) {
    napi_throw_type_error(env, NULL, "writeFiles takes a folder, names, facts, the content, and room for an error");
    return NULL;
  }
  const size_t files = facts_length / facts_each;
  const char *name = names;
  size_t made = 0;
  int problem = 0;
  for (; made < files; made++, name += strlen(name) + 1) {
    problem = make(folder, name, (const double *)facts + made * facts_each, content);
    if (problem != 0) break;
  }
  ((int32_t *)failure)[0] = problem;
  return napi_create_uint32(env, (uint32_t)made, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "writeFiles", NAPI_AUTO_LENGTH, write_files, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, "writeFiles", function);
  return exports;
}
