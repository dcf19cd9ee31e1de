//go:build cgo && !purego

// The kernels for the least processor the compiler targets: vectors of 4 floats.
#define W 4
#define NV 2
#define TABLE net_kernels_base
#define NAME "base"
#include "kernel_impl.h"

const net_kernels *net_kernels_best(int limit) {
#if defined(__x86_64__)
  if ((limit <= 0 || limit >= 16) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return &net_kernels_avx512;
  if ((limit <= 0 || limit >= 8) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return &net_kernels_avx2;
#endif
  return &net_kernels_base;
}
