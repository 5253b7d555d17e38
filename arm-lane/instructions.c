// Calls one matrix multiplication of KleidiAI's on zeros: for `count-instructions`, which counts what
// it executes. The number of instructions depends on shapes alone, so operands need no packing; they
// are larger than any packing of that shape.
//
//   instructions LIBRARY address KERNEL            prints where the kernel lies in memory
//   instructions LIBRARY KERNEL BLOCK M N K        BLOCK 0: the kernel takes no block length
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*with_blocks)(size_t m, size_t n, size_t k, size_t bl, const void *lhs, const void *rhs,
                            float *dst, size_t row, size_t col, float min, float max);
typedef void (*without_blocks)(size_t m, size_t n, size_t k, const void *lhs, const void *rhs,
                               float *dst, size_t row, size_t col, float min, float max);

static void *zeros(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, bytes)) {
    fputs("instructions: out of memory\n", stderr);
    exit(1);
  }
  return memset(p, 0, bytes);
}

static void *find(void *library, const char *kernel) {
  char name[256];
  snprintf(name, sizeof name, "kai_run_matmul_clamp_f32_%s", kernel);
  void *function = dlsym(library, name);
  if (!function) {
    fprintf(stderr, "instructions: the library has no %s\n", name);
    exit(3);
  }
  return function;
}

int main(int argc, char **argv) {
  void *library = argc > 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!library) {
    fprintf(stderr, "instructions: %s\n", argc > 3 ? dlerror() : "usage: see its source");
    return 2;
  }
  if (!strcmp(argv[2], "address")) {
    printf("%ju\n", (uintmax_t)(uintptr_t)find(library, argv[3]));
    return 0;
  }
  void *function = find(library, argv[2]);
  size_t bl = strtoul(argv[3], NULL, 10), m = strtoul(argv[4], NULL, 10);
  size_t n = strtoul(argv[5], NULL, 10), k = strtoul(argv[6], NULL, 10);
  void *lhs = zeros((m + 64) * (2 * k + 64)), *rhs = zeros((n + 256) * (2 * k + 64));
  float *dst = zeros(m * n * sizeof(float));
  if (bl) {
    ((with_blocks)function)(m, n, k, bl, lhs, rhs, dst, n * sizeof(float), sizeof(float), -INFINITY, INFINITY);
  } else {
    ((without_blocks)function)(m, n, k, lhs, rhs, dst, n * sizeof(float), sizeof(float), -INFINITY, INFINITY);
  }
  return 0;
}
