/*
 * What zlib says of gzip streams: the oracle of CheckpointsIT, and the source of the committed checkpoint tables.
 *
 * A co-process: requests on stdin, answers on stdout, numbers little endian as the machine's.
 *
 *   request:  u32 length, i64 span size, the bytes of the stream
 *   answer:   i32 code (0: sound; else zlib's, -5 for a cut stream), i64 output bytes, u32 CRC-32 of the output,
 *             i32 n, then n checkpoints as a zTOC stores them: i64 in, i64 out, u8 bits, 32768 bytes of window
 *
 * zlib detects gzip and zlib headers itself (window bits 47), stops at each block boundary (Z_BLOCK) and is started
 * again for each further member, as the tool does whose zTOCs ours must equal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { WINDOW = 32768, SIZE = 8 + 8 + 1 + WINDOW, DETECT_HEADER = 32 + 15 };

static unsigned char *checkpoints;
static int32_t count;
static size_t room;

static void die(const char *what) {
  fprintf(stderr, "zlib_oracle: %s\n", what);
  exit(1);
}

/* The window is a ring whose oldest byte is at `oldest`. */
static void add(int64_t in, int64_t out, int bits, const unsigned char *ring, unsigned oldest) {
  if ((size_t)count == room) {
    room = room ? 2 * room : 64;
    checkpoints = realloc(checkpoints, room * SIZE);
    if (!checkpoints) die("no memory");
  }
  unsigned char *to = checkpoints + (size_t)count++ * SIZE;
  memcpy(to, &in, 8);
  memcpy(to + 8, &out, 8);
  to[16] = (unsigned char)bits;
  memcpy(to + 17, ring + oldest, WINDOW - oldest);
  memcpy(to + 17 + WINDOW - oldest, ring, oldest);
}

static int read_stream(unsigned char *bytes, uint32_t length, int64_t span, int64_t *total, uint32_t *crc) {
  unsigned char ring[WINDOW];
  z_stream zlib;
  int64_t last = 0;
  memset(ring, 0, sizeof ring);
  memset(&zlib, 0, sizeof zlib);
  count = 0;
  *total = 0;
  *crc = crc32(0, NULL, 0);
  int code = inflateInit2(&zlib, DETECT_HEADER);
  if (code != Z_OK) die("inflateInit2 failed");
  zlib.next_in = bytes;
  zlib.avail_in = length;
  for (;;) {
    if (zlib.avail_out == 0) {
      zlib.next_out = ring;
      zlib.avail_out = WINDOW;
    }
    unsigned char *from = zlib.next_out;
    unsigned available = zlib.avail_in;
    code = inflate(&zlib, Z_BLOCK);
    unsigned produced = (unsigned)(zlib.next_out - from);
    *total += produced;
    *crc = crc32(*crc, from, produced);
    if (code == Z_STREAM_END) {
      if (zlib.avail_in == 0) {
        code = Z_OK;
        break;
      }
      if (inflateReset(&zlib) != Z_OK) die("inflateReset failed");
      continue;
    }
    if (code == Z_NEED_DICT) code = Z_DATA_ERROR;
    if (code != Z_OK && code != Z_BUF_ERROR) break;
    int boundary = (zlib.data_type & 128) != 0 && (zlib.data_type & 64) == 0;
    if (boundary && (*total == 0 || *total - last > span)) {
      add((int64_t)(length - zlib.avail_in), *total, zlib.data_type & 7, ring, (unsigned)(WINDOW - zlib.avail_out) % WINDOW);
      last = *total;
    }
    if (!boundary && produced == 0 && zlib.avail_in == available) {
      code = Z_BUF_ERROR;
      break;
    }
  }
  inflateEnd(&zlib);
  return code;
}

int main(void) {
  unsigned char *bytes = NULL;
  uint32_t length;
  int64_t span;
  while (fread(&length, 4, 1, stdin) == 1) {
    if (fread(&span, 8, 1, stdin) != 1) die("a cut request");
    bytes = realloc(bytes, (size_t)length + 1);
    if (!bytes) die("no memory");
    if (fread(bytes, 1, length, stdin) != length) die("a cut stream");
    int64_t total;
    uint32_t crc;
    int32_t code = read_stream(bytes, length, span, &total, &crc);
    fwrite(&code, 4, 1, stdout);
    fwrite(&total, 8, 1, stdout);
    fwrite(&crc, 4, 1, stdout);
    fwrite(&count, 4, 1, stdout);
    fwrite(checkpoints, SIZE, (size_t)count, stdout);
    if (fflush(stdout) != 0) return 1;
  }
  return 0;
}
