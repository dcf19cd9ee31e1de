//go:build cgo && !purego

// The kernels for AVX-512: vectors of 16 floats.
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512vl,avx512dq,avx2,fma,prefer-vector-width=512")
#include <immintrin.h>
#define W 16
#define NV 4
#define VMIN(a, b) (vec)_mm512_min_ps((__m512)(a), (__m512)(b))
#define VMAX(a, b) (vec)_mm512_max_ps((__m512)(a), (__m512)(b))
#define VSQRT(a) (vec)_mm512_sqrt_ps((__m512)(a))
#define TABLE net_kernels_avx512
#define NAME "avx512"
#include "kernel_impl.h"
#endif
