/*
 * Compresses stdin to stdout with all the knobs that zlib has: level, window bits (with 16 added: gzip), memory level,
 * strategy, and a flush (deflate's number for it, 0 for none) after every so many bytes of input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static unsigned char in[1 << 20], out[1 << 16];

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: zlib_encoder LEVEL WINDOW_BITS MEM_LEVEL STRATEGY FLUSH EVERY\n");
    return 2;
  }
  int flush = atoi(argv[5]);
  size_t every = (size_t)atol(argv[6]);
  z_stream zlib;
  memset(&zlib, 0, sizeof zlib);
  if (every == 0 || every > sizeof in ||
      deflateInit2(&zlib, atoi(argv[1]), Z_DEFLATED, atoi(argv[2]), atoi(argv[3]), atoi(argv[4])) != Z_OK) {
    fprintf(stderr, "zlib_encoder: zlib doesn't take these\n");
    return 2;
  }
  int code = Z_OK;
  do {
    zlib.next_in = in;
    zlib.avail_in = (unsigned)fread(in, 1, every, stdin);
    int mode = zlib.avail_in < every ? Z_FINISH : flush;
    do {
      zlib.next_out = out;
      zlib.avail_out = sizeof out;
      code = deflate(&zlib, mode);
      fwrite(out, 1, sizeof out - zlib.avail_out, stdout);
    } while (zlib.avail_out == 0 || (mode == Z_FINISH && code == Z_OK));
  } while (code != Z_STREAM_END);
  deflateEnd(&zlib);
  return fflush(stdout) == 0 ? 0 : 1;
}
