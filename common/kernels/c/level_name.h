/* Names of functions that one source defines for several CPU levels: the build compiles it once for
 * each with LIMN_LEVEL_SUFFIX set to _c, _avx2, … Such sources are written so that compilers
 * vectorise their loops, and each sum has a fixed order, so all levels give the same bits. */
#ifndef LIMN_COMMON_KERNELS_C_LEVEL_NAME_H
#define LIMN_COMMON_KERNELS_C_LEVEL_NAME_H

#define LIMN_LEVEL_PASTE(name, suffix) name##suffix
#define LIMN_LEVEL_EXPAND(name, suffix) LIMN_LEVEL_PASTE(name, suffix)
#define LIMN_LEVEL(name) LIMN_LEVEL_EXPAND(name, LIMN_LEVEL_SUFFIX)

#endif
