// A line between two network namespaces, with a delay, losses and a rate, as a program: kernels without netem have none.
// See README.md beside this file. Linux, root.
//
// link <namespace> <namespace> <device> <seed>
//
// Makes a TUN device of this name at both ends and prints "ready". Each line of standard input says how the line is from
// then on, "<delay in us> <loss in ppm> <rate in Mbit/s> <queue in ms>", and is answered by a line of JSON: what passed in
// each direction until then. Ends with its standard input, and takes the devices with it.
//
// The kernel hands over runs of TCP segments in one piece of up to 64 KiB, with how to cut it (struct virtio_net_hdr).
// They travel so, which is what makes 1 Gbit/s cheap; but each segment takes its time on the line, and is lost, by itself.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { headBytes = sizeof(struct virtio_net_hdr), packetBytesMax = 65535 + 64, readsInTurn = 32 };

struct packet {
  struct packet *next;
  uint64_t dueNs;
  uint32_t bytes;
  unsigned char data[];
};

struct direction {
  int from, to;
  // When the last bit that is queued will have left.
  uint64_t busyUntilNs;
  uint64_t segmentsToLoss;
  struct packet *first, *last;
  uint64_t segments, bytes, lost, overflowed;
};

// Until it is told, the line is as good as any can be.
static uint64_t delayNs = 0, queueNs = 1000000000, random64;
static double loss = 0, nsPerByte = 0.01;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t nowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// How many segments pass until one is lost, that one included (xorshift64*; a geometric distribution).
static uint64_t drawLoss(void) {
  if (loss <= 0) return UINT64_MAX;
  random64 ^= random64 >> 12;
  random64 ^= random64 << 25;
  random64 ^= random64 >> 27;
  double unit = (double)((random64 * 2685821657736338717u) >> 11) / 9007199254740992.0;
  return loss >= 1 ? 1 : 1 + (uint64_t)(log(1 - unit) / log(1 - loss));
}

static int openEnd(const char *namespace, const char *device) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) fail(path);
  close(space);
  int end = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (end < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
  snprintf(request.ifr_name, IFNAMSIZ, "%s", device);
  if (ioctl(end, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  if (ioctl(end, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) fail("TUNSETOFFLOAD");
  return end;
}

static uint16_t load16(const unsigned char *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static void store16(unsigned char *at, uint32_t value) {
  at[0] = (unsigned char)(value >> 8);
  at[1] = (unsigned char)value;
}

static uint32_t folded(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

static void enqueue(struct direction *way, struct packet *packet, uint64_t dueNs) {
  packet->next = NULL;
  packet->dueNs = dueNs;
  if (way->first == NULL) way->first = packet;
  else way->last->next = packet;
  way->last = packet;
}

// The segments [from, to) of a run of `count` as a packet of their own: addresses, numbers, lengths and flags as if the
// sender had cut it there. `heads`: bytes of the IP and TCP headers.
static struct packet *cut(const unsigned char *data, uint32_t bytes, uint32_t heads, uint32_t size, uint32_t from,
                          uint32_t to, uint32_t count) {
  uint32_t start = heads + from * size, end = to == count ? bytes - headBytes : heads + to * size;
  uint32_t length = heads + end - start;
  struct packet *packet = malloc(sizeof *packet + headBytes + length);
  if (packet == NULL) fail("malloc");
  packet->bytes = headBytes + length;
  memcpy(packet->data, data, headBytes + heads);
  memcpy(packet->data + headBytes + heads, data + headBytes + start, end - start);
  if (from == 0 && to == count) return packet;

  struct virtio_net_hdr *head = (struct virtio_net_hdr *)packet->data;
  unsigned char *ip = packet->data + headBytes, *tcp = ip + head->csum_start;
  uint32_t was = bytes - headBytes;
  if (to - from == 1) head->gso_type = VIRTIO_NET_HDR_GSO_NONE, head->gso_size = 0;
  if (ip[0] >> 4 == 4) {
    store16(ip + 2, length);
    store16(ip + 4, load16(ip + 4) + from);
    store16(ip + 10, 0);
    uint32_t sum = 0;
    for (uint32_t at = 0; at < (uint32_t)(ip[0] & 15) * 4; at += 2) sum += load16(ip + at);
    store16(ip + 10, ~folded(sum));
  } else {
    store16(ip + 4, length - 40);
  }
  uint32_t number = ntohl(*(uint32_t *)(tcp + 4)) + from * size;
  store16(tcp + 4, number >> 16);
  store16(tcp + 6, number);
  // FIN and PSH are of the last segment, CWR of the first.
  if (to != count) tcp[13] &= (unsigned char)~0x09;
  if (from != 0) tcp[13] &= (unsigned char)~0x80;
  // So far the sum of the pseudo header, which has the length.
  store16(tcp + head->csum_offset, folded(load16(tcp + head->csum_offset) + 0xffff - was + length));
  return packet;
}

static void onPacket(struct direction *way, const unsigned char *data, uint32_t bytes, uint64_t now) {
  const struct virtio_net_hdr *head = (const struct virtio_net_hdr *)data;
  uint32_t length = bytes - headBytes, heads = length, size = 0, count = 1;
  if (head->gso_type != VIRTIO_NET_HDR_GSO_NONE && head->gso_size > 0) {
    heads = head->csum_start + (uint32_t)(data[headBytes + head->csum_start + 12] >> 4) * 4;
    size = head->gso_size;
    count = length > heads ? (length - heads + size - 1) / size : 1;
  }
  double segmentNs = nsPerByte * (heads + size);
  if (way->busyUntilNs < now) way->busyUntilNs = now;
  // What does not fit into the queue is lost from the end of the run.
  uint64_t room = now + queueNs > way->busyUntilNs ? now + queueNs - way->busyUntilNs : 0;
  uint32_t fits = segmentNs * count <= room ? count : (uint32_t)(room / segmentNs);
  way->overflowed += count - fits;
  way->segments += fits;
  uint64_t begunNs = way->busyUntilNs;
  way->busyUntilNs += (uint64_t)(segmentNs * fits);
  for (uint32_t from = 0; from < fits;) {
    uint32_t whole = fits - from;
    int isLost = way->segmentsToLoss <= whole;
    if (isLost) whole = (uint32_t)way->segmentsToLoss - 1;
    if (whole > 0) {
      struct packet *packet = cut(data, bytes, heads, size, from, from + whole, count);
      way->bytes += packet->bytes - headBytes;
      enqueue(way, packet, begunNs + (uint64_t)(segmentNs * (from + whole)) + delayNs);
    }
    from += whole;
    if (isLost) {
      from++;
      way->lost++;
      way->segmentsToLoss = drawLoss();
    } else {
      way->segmentsToLoss -= whole;
    }
  }
}

static void readAll(struct direction *way) {
  static unsigned char data[headBytes + packetBytesMax];
  for (int turn = 0; turn < readsInTurn; turn++) {
    ssize_t bytes = read(way->from, data, sizeof data);
    if (bytes <= (ssize_t)headBytes) return;
    onPacket(way, data, (uint32_t)bytes, nowNs());
  }
}

// Hands over what is due; when the next is, or UINT64_MAX.
static uint64_t deliver(struct direction *way) {
  while (way->first != NULL) {
    struct packet *packet = way->first;
    if (packet->dueNs > nowNs()) return packet->dueNs;
    // Fails while the other end is not up: then nobody hears it, as on any line.
    if (write(way->to, packet->data, packet->bytes) < 0 && errno == EAGAIN) return nowNs() + 100000;
    way->first = packet->next;
    free(packet);
  }
  return UINT64_MAX;
}

static void report(const char *name, const struct direction *way, const char *end) {
  printf("\"%s\":{\"segments\":%llu,\"bytes\":%llu,\"lost\":%llu,\"overflowed\":%llu}%s", name,
         (unsigned long long)way->segments, (unsigned long long)way->bytes, (unsigned long long)way->lost,
         (unsigned long long)way->overflowed, end);
}

// 0 at the end of standard input. Lines come whole, since each is written at once and waits for its answer.
static int onLine(struct direction *there, struct direction *back) {
  char line[200];
  ssize_t bytes = read(0, line, sizeof line - 1);
  if (bytes <= 0) return 0;
  line[bytes] = 0;
  double delayUs, lossPpm, rate, queueMs;
  if (sscanf(line, "%lf %lf %lf %lf", &delayUs, &lossPpm, &rate, &queueMs) != 4 || rate <= 0) {
    fprintf(stderr, "not understood: %s", line);
    return 0;
  }
  delayNs = (uint64_t)(delayUs * 1e3);
  queueNs = (uint64_t)(queueMs * 1e6);
  loss = lossPpm / 1e6;
  nsPerByte = 8000 / rate;
  there->segmentsToLoss = drawLoss();
  back->segmentsToLoss = drawLoss();
  printf("{");
  report("there", there, ",");
  report("back", back, "}\n");
  fflush(stdout);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: link <namespace> <namespace> <device> <seed>\n");
    return 2;
  }
  random64 = strtoull(argv[4], NULL, 10) * 2654435761u + 88172645463325252u;
  // To be in time also on a machine that is busy with what is measured.
  setpriority(PRIO_PROCESS, 0, -20);
  prctl(PR_SET_TIMERSLACK, 1);

  int left = openEnd(argv[1], argv[3]), right = openEnd(argv[2], argv[3]);
  struct direction there = {.from = left, .to = right, .segmentsToLoss = UINT64_MAX};
  struct direction back = {.from = right, .to = left, .segmentsToLoss = UINT64_MAX};
  printf("ready\n");
  fflush(stdout);

  struct pollfd waits[] = {{left, POLLIN, 0}, {right, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    uint64_t next = deliver(&there), other = deliver(&back), now = nowNs();
    if (other < next) next = other;
    uint64_t inNs = next > now ? next - now : 0;
    struct timespec wait = {(time_t)(inNs / 1000000000u), (long)(inNs % 1000000000u)};
    if (ppoll(waits, 3, next == UINT64_MAX ? NULL : &wait, NULL) < 0 && errno != EINTR) fail("ppoll");
    if (waits[0].revents != 0) readAll(&there);
    if (waits[1].revents != 0) readAll(&back);
    if (waits[2].revents != 0 && !onLine(&there, &back)) return 0;
  }
}
