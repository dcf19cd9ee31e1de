// The arithmetic of package net in C; kernel_impl.h describes each function.
// There is one build of it for each instruction set, chosen at run time.
#ifndef SIPIPE_NET_KERNEL_H
#define SIPIPE_NET_KERNEL_H

#include <stdint.h>

// Shape of a compiled program; field for field [programShape] in Go.
typedef struct {
  int32_t nets, dx, dout, hidden, blocks, film, stride;
} net_shape;

typedef struct {
  void (*matmul)(float *dst, int ldd, const float *a, int ars, int acs, const float *x, int ldx,
                 const float *bias, int m, int k, int n, int add);
  void (*outer)(float *dst, const float *g, int ldg, const float *x, int ldx, int m, int k, int n, int add);
  void (*row_sum)(float *dst, const float *g, int ldg, int m, int n, int add);
  void (*silu)(float *dst, const float *z, int ld, int m, int n);
  void (*silu_grad)(float *dst, const float *z, const float *g, int ld, int m, int n);
  void (*film)(float *dst, const float *u, const float *mod, const float *h, int ld, int m, int n);
  void (*film_grad)(float *du, float *dmod, const float *u, const float *mod, const float *g, int ld, int m, int n);
  void (*add)(float *dst, const float *a, const float *b, int ld, int m, int n);
  void (*softmax)(float *p, const float *apart, float scale, float slope, int ld, int n);
  void (*softmax_grad)(float *dst, const float *p, const float *g, int ld, int n);
  void (*adamw)(float *w, float *m, float *v, float *ema, const float *g, int n, const float *c);
  double (*sum_squares)(const float *g, int n);
  void (*eval)(double *dst, const double *x, const float *weights, const float *time, const float *cond,
               float *scratch, const net_shape *shape, int cases, int members);
  const char *name;
} net_kernels;

// net_kernels_best returns the widest build that this processor runs; with
// limit > 0, the widest whose vectors have at most so many floats.
const net_kernels *net_kernels_best(int limit);

extern const net_kernels net_kernels_base;
#if defined(__x86_64__)
extern const net_kernels net_kernels_avx2;
extern const net_kernels net_kernels_avx512;
#endif

#endif
