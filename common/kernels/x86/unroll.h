/* How the vector kernels unroll loops over constant sizes: an always-inlined function, called with
 * constants, whose loops are marked UNROLL. Arrays of vectors indexed in such loops become
 * registers. */
#ifndef LIMN_COMMON_KERNELS_X86_UNROLL_H
#define LIMN_COMMON_KERNELS_X86_UNROLL_H

#define INLINE static inline __attribute__((always_inline))

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#endif
