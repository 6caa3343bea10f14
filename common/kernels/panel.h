#ifndef LIMN_COMMON_KERNELS_PANEL_H
#define LIMN_COMMON_KERNELS_PANEL_H

#define LIMN_PANEL 16 /* outputs in a panel of packed weights (pack.h) */

#endif
