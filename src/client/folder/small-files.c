// Makes, or reads, many small files with one call and four system calls for each: Node's own take half as long again or
// more, for paths, numbers and errors that go to and fro.
//
// writeFiles(folder, names, facts, content, failure) makes the files in the folder with this descriptor.
// `names`: each ends with a NUL. `facts`: four numbers for each: where it begins in `content`, how many bytes it has, when
// it was changed (seconds since 1970), and 1 for one that may be run. Returns how many were made; where that is not all,
// `failure` has the number of the error. What is there already is never written to, and no link is followed.
//
// readFiles(root, paths, places, stamps, into, odd) reads parts of files one behind the other into `into`. `root`: the path
// of the folder, with a NUL at its end; `paths`: likewise within it. `places`: two numbers for each: where the part begins in
// the file, and how many bytes it has. `stamps`: five numbers for each (folder-stamps.ts). Sets `odd` to 1 for each part
// that could not be read as a whole from a file with this stamp, for whoever finds out why. Returns how many these are.

// For openat, futimens and their flags beside -std=c11.
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

/** Of files: what a number of JavaScript holds exactly. */
static const double offset_max = 9007199254740991;

enum { facts_each = 4, places_each = 2, stamp_words = 5 };

/** Files that are worth a thread. */
enum { halves_min = 8 };

static bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool is_typed_array;
  napi_typedarray_type type;
  return napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
         napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted;
}

/** Whether these are so many texts, each with a NUL at its end. */
static bool are_texts(const char *texts, size_t length, size_t wanted) {
  size_t count = 0;
  for (size_t at = 0; at < length; at++) count += texts[at] == '\0';
  return count == wanted && (length == 0 || texts[length - 1] == '\0');
}

/** Whether these are as many names as there are files, and all of their bytes lie in the content. */
static bool fits(const char *names, size_t names_length, const double *facts, size_t files, size_t content_length) {
  if (!are_texts(names, names_length, files) || memchr(names, '/', names_length) != NULL) return false;
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

/** Files one behind the other that one thread makes. */
struct share {
  int folder;
  const char *names;
  const double *facts;
  const uint8_t *content;
  size_t files;
  /** Up to the first one that could not be made. */
  size_t made;
  /** Of that one: the number of the error. */
  int problem;
};

static void *make_all(void *given) {
  struct share *share = given;
  const char *name = share->names;
  for (; share->made < share->files; share->made++, name += strlen(name) + 1) {
    share->problem = make(share->folder, name, share->facts + share->made * facts_each, share->content);
    if (share->problem != 0) break;
  }
  return NULL;
}

/** Gives the second half to a thread of its own, which takes a file's time to start; what it costs is less than waiting. */
static void make_in_halves(struct share *all) {
  struct share first = *all, second = *all;
  pthread_t thread;
  first.files = all->files / 2;
  second.files = all->files - first.files;
  for (size_t file = 0; file < first.files; file++) second.names += strlen(second.names) + 1;
  second.facts += first.files * facts_each;
  const bool is_alone = second.files < halves_min || pthread_create(&thread, NULL, make_all, &second) != 0;
  make_all(&first);
  if (!is_alone) pthread_join(thread, NULL);
  else if (first.problem == 0) make_all(&second);
  all->made = first.problem != 0 ? first.made : first.made + second.made;
  all->problem = first.problem != 0 ? first.problem : second.problem;
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
  struct share all = {.folder = folder, .names = names, .facts = facts, .content = content, .files = files};
  make_in_halves(&all);
  ((int32_t *)failure)[0] = all.problem;
  return napi_create_uint32(env, (uint32_t)all.made, &result) == napi_ok ? result : NULL;
}

/** Whether the parts fill the room or less. */
static bool fit_into(const double *places, size_t files, size_t room) {
  double bytes = 0;
  for (size_t file = 0; file < files; file++) {
    const double offset = places[file * places_each], length = places[file * places_each + 1];
    if (!(offset >= 0 && offset <= offset_max) || !(length >= 0 && length <= (double)room)) return false;
    bytes += length;
    if (bytes > (double)room) return false;
  }
  return true;
}

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

static bool has_stamp(const struct stat *now, const int64_t *stamp) {
  return S_ISREG(now->st_mode) && now->st_nlink > 0 && stamp[0] == (int64_t)now->st_dev &&
         stamp[1] == (int64_t)now->st_ino && stamp[2] == (int64_t)now->st_size &&
         stamp[3] == nanoseconds(now->st_mtim) && stamp[4] == nanoseconds(now->st_ctim);
}

static bool read_whole(int file, off_t offset, uint8_t *into, size_t length) {
  while (length > 0) {
    const ssize_t count = pread(file, into, length, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    into += count, offset += count, length -= (size_t)count;
  }
  return true;
}

/** Whether the part was read from a file with this stamp. */
static bool read_part(int root, const char *path, const double *place, const int64_t *stamp, uint8_t *into) {
  const int file = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return false;
  struct stat now;
  // After reading: a later write cannot have changed what was read.
  const bool is_right = read_whole(file, (off_t)place[0], into, (size_t)place[1]) && fstat(file, &now) == 0 &&
                        has_stamp(&now, stamp);
  close(file);
  return is_right;
}

static napi_value read_files(napi_env env, napi_callback_info info) {
  napi_value arguments[6], result;
  size_t count = 6, root_length, paths_length, places_length, stamps_length, room, odd_length;
  void *root, *paths, *places, *stamps, *into, *odd;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 6 ||
      !array_of(env, arguments[0], napi_uint8_array, &root, &root_length) || !are_texts(root, root_length, 1) ||
      !array_of(env, arguments[1], napi_uint8_array, &paths, &paths_length) ||
      !array_of(env, arguments[2], napi_float64_array, &places, &places_length) ||
      !array_of(env, arguments[3], napi_bigint64_array, &stamps, &stamps_length) ||
      !array_of(env, arguments[4], napi_uint8_array, &into, &room) ||
      !array_of(env, arguments[5], napi_uint8_array, &odd, &odd_length) ||
      !are_texts(paths, paths_length, odd_length) || places_length != odd_length * places_each ||
      stamps_length < odd_length * stamp_words || !fit_into(places, odd_length, room)) {
    napi_throw_type_error(env, NULL, "readFiles takes a root, paths, places, stamps, room for the bytes, and for what is odd");
    return NULL;
  }
  const int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const char *path = paths;
  const double *place = places;
  uint8_t *to = into;
  uint32_t odd_count = 0;
  for (size_t file = 0; file < odd_length; file++, path += strlen(path) + 1, place += places_each) {
    const bool is_odd =
        folder < 0 || !read_part(folder, path, place, (const int64_t *)stamps + file * stamp_words, to);
    ((uint8_t *)odd)[file] = is_odd;
    odd_count += is_odd;
    to += (size_t)place[1];
  }
  if (folder >= 0) close(folder);
  return napi_create_uint32(env, odd_count, &result) == napi_ok ? result : NULL;
}

static void export(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  export(env, exports, "writeFiles", write_files);
  export(env, exports, "readFiles", read_files);
  return exports;
}
