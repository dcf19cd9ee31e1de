//go:build cgo && !purego

// The kernels for AVX2 with FMA: vectors of 8 floats.
#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#include <immintrin.h>
#define W 8
#define NV 2
#define VMIN(a, b) (vec)_mm256_min_ps((__m256)(a), (__m256)(b))
#define VMAX(a, b) (vec)_mm256_max_ps((__m256)(a), (__m256)(b))
#define VSQRT(a) (vec)_mm256_sqrt_ps((__m256)(a))
#define TABLE net_kernels_avx2
#define NAME "avx2"
#include "kernel_impl.h"
#endif
